/** Prints by how many threads this process grows over restarts of engines that cannot start. */
import { readdirSync } from 'node:fs';
import { EnginePool } from '../../src/engine/pool.ts';

const WORKERS = 4;
let losses = 0;
const pool = new EnginePool({
  entry: new URL('./worker.ts', import.meta.url),
  device: 'webgpu',
  workers: WORKERS,
  queueCapacity: 1,
  watchdogMs: 10_000,
  settings: { featureCache: { maxBytes: 0, ttlMs: 0 } },
  onEngineLost: () => losses++,
});
await pool.ready().catch(() => {});

async function threadsAfter(rounds: number): Promise<number> {
  while (losses < rounds * WORKERS) await Bun.sleep(10);
  await Bun.sleep(200);
  return readdirSync('/proc/self/task').length;
}

const first = await threadsAfter(1);
console.log((await threadsAfter(3)) - first);
process.exit(0);
