import { availableParallelism } from 'node:os';
import { type App, type AppParts, createApp } from './app.ts';
import type { Config } from './config.ts';
import { EnginePool } from './engine/pool.ts';
import type { EngineStatus } from './engine/protocol.ts';
import { engineSettings } from './engine_settings.ts';
import { serverLog } from './log.ts';
import { type ModelStore, openStore } from './models/store.ts';

export interface RunningServer {
  /** Where this machine reaches it. */
  readonly url: URL;
  readonly engines: readonly (EngineStatus | null)[];
  /** Requests whose answer is not sent yet. */
  readonly pendingRequests: number;
  /**
   * Takes no more connections, lets pending requests finish, at most for `graceMs` milliseconds,
   * then cuts off what is left and stops the engines.
   */
  stop(graceMs?: number): Promise<void>;
}

/**
 * Starts the engines; the app that stands on them answers through `handle` or a port.
 *
 * @throws EngineError where an engine cannot start
 */
export async function createServer(
  config: Config,
  store: ModelStore = openStore(),
): Promise<AppParts & { close(): void }> {
  const log = serverLog();
  let isReady = false;
  const pool = new EnginePool({
    entry: new URL('./engine_worker.ts', import.meta.url),
    device: config.device,
    threads: config.threads || Math.max(1, Math.floor(availableParallelism() / config.workers)),
    workers: config.workers,
    queueCapacity: config.queueCapacity,
    watchdogMs: config.watchdogSeconds * 1000,
    settings: engineSettings(config),
    // Before, the loss is what is thrown.
    onEngineLost: (index, reason) => isReady && log.engineLost(index, reason),
  });
  try {
    await pool.ready();
    isReady = true;
  } catch (error) {
    pool.close();
    throw error;
  }
  return { config, pool, store, log, close: () => pool.close() };
}

/**
 * Starts the engines and listens.
 *
 * @throws EngineError where an engine cannot start, ModelError where SAM3_CHECKPOINT is no model,
 *   Error where the address cannot be listened on
 */
export async function startServer(config: Config, store?: ModelStore): Promise<RunningServer> {
  const parts = await createServer(config, store);
  const app = assemble(parts);
  const listening = listen(app, config, parts.close);
  return {
    url: reachableUrl(listening.url),
    engines: parts.pool.statuses(),
    get pendingRequests() {
      return listening.pendingRequests;
    },
    stop: async (graceMs = 0) => {
      if (graceMs > 0) await Promise.race([listening.stop(false), Bun.sleep(graceMs)]);
      await app.stop(true);
      parts.close();
    },
  };
}

function assemble(parts: AppParts & { close(): void }): App {
  try {
    return createApp(parts);
  } catch (error) {
    parts.close();
    throw error;
  }
}

function listen(app: App, { host, port }: Config, onFailure: () => void) {
  try {
    // Two servers that share a port would answer in turn, each with its own state.
    app.listen({ hostname: host, port, reusePort: false });
    if (app.server) return app.server;
    throw new Error('the server did not start');
  } catch (error) {
    onFailure();
    const { message } = error as Error;
    throw new Error(
      `cannot listen on ${host} port ${port} (${message}); choose others with --host and --port`,
      { cause: error },
    );
  }
}

/** Where a server that listens on every address is reached from this machine: by loopback. */
function reachableUrl(listening: URL): URL {
  const url = new URL(listening);
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1';
  if (url.hostname === '[::]') url.hostname = '[::1]';
  return url;
}
