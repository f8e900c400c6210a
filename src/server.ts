import { availableParallelism } from 'node:os';
import { type AppParts, createApp } from './app.ts';
import type { Config } from './config.ts';
import { EnginePool } from './engine/pool.ts';
import type { EngineStatus } from './engine/protocol.ts';
import { serverLog } from './log.ts';
import { openStore } from './models/store.ts';

export interface RunningServer {
  readonly url: URL;
  readonly engines: readonly (EngineStatus | null)[];
  stop(): Promise<void>;
}

/** Starts the engines; the app that stands on them answers through `handle` or a port. */
export async function createServer(config: Config): Promise<AppParts & { close(): void }> {
  const log = serverLog();
  const pool = new EnginePool({
    entry: new URL('./engine_worker.ts', import.meta.url),
    device: config.device,
    threads: config.threads || Math.max(1, Math.floor(availableParallelism() / config.workers)),
    workers: config.workers,
    queueCapacity: config.queueCapacity,
    watchdogMs: config.watchdogSeconds * 1000,
    onEngineLost: log.engineLost,
  });
  try {
    await pool.ready();
  } catch (error) {
    pool.close();
    throw error;
  }
  return { config, pool, store: openStore(), log, close: () => pool.close() };
}

/** Starts the engines and listens. */
export async function startServer(config: Config): Promise<RunningServer> {
  const parts = await createServer(config);
  const app = createApp(parts);
  try {
    // Two servers that share a port would answer in turn, each with its own state.
    app.listen({ hostname: config.host, port: config.port, reusePort: false });
  } catch (error) {
    parts.close();
    throw error;
  }
  const { hostname, port } = app.server ?? {};
  return {
    url: new URL(`http://${hostname === '0.0.0.0' ? '127.0.0.1' : hostname}:${port}/`),
    engines: parts.pool.statuses(),
    stop: async () => {
      await app.stop(true);
      parts.close();
    },
  };
}
