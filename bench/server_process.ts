import { createApp } from '../src/app.ts';
import { type Config, readConfig } from '../src/config.ts';
import { EnginePool } from '../src/engine/pool.ts';
import { engineSettings } from '../src/engine_settings.ts';
import { serverLog } from '../src/log.ts';
import { openStore } from '../src/models/store.ts';
import { collectTask } from './engine_tasks.ts';
import type { FromServer, ToServer } from './server_client.ts';

/** Requests that 64 clients make must wait, not be refused. */
const QUEUE_CAPACITY = 1024;

/**
 * A server on a free port of 127.0.0.1, as `bun start` makes it, but with an engine that can be
 * told to collect its garbage. Ends when its parent does.
 *
 * @param flags as on the command line, over the bench's own
 */
export async function serveForBench(
  device: string,
  flags: Readonly<Record<string, string>>,
): Promise<void> {
  const config = readConfig(
    {
      host: '127.0.0.1',
      port: '0',
      device,
      queueCapacity: String(QUEUE_CAPACITY),
      queueTimeoutSeconds: '300',
      ...flags,
    },
    {},
  );
  const pool = startPool(config);
  await pool.ready();
  const app = createApp({ config, pool, store: openStore(), log: serverLog() });
  app.listen({ hostname: config.host, port: config.port });
  process.on('message', async (message: ToServer) => {
    if (message === 'collect') send({ type: 'memory', rssBytes: await settledRss(pool) });
  });
  process.on('disconnect', () => process.exit(0));
  send({ type: 'listening', url: `http://127.0.0.1:${app.server?.port}` });
  await new Promise(() => {});
}

function startPool(config: Config): EnginePool {
  return new EnginePool({
    entry: new URL('./engine_worker.ts', import.meta.url),
    device: config.device,
    workers: config.workers,
    queueCapacity: config.queueCapacity,
    watchdogMs: config.watchdogSeconds * 1000,
    settings: engineSettings(config),
  });
}

const ROUNDS = 6;

/**
 * Resident memory when both threads have collected and the allocators have given back what they
 * could, which they do in their own time: the least of several readings.
 */
async function settledRss(pool: EnginePool): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    Bun.gc(true);
    await pool.submit(collectTask, null, { deadlineMs: 60_000 });
    await Bun.sleep(700);
    least = Math.min(least, process.memoryUsage.rss());
  }
  return least;
}

function send(message: FromServer): void {
  process.send?.(message);
}
