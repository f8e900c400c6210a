import { EnginePool } from '../../src/engine/pool.ts';
import { exchangeTask } from '../engine_tasks.ts';
import type { BenchContext } from '../measurement.ts';
import { PICTURE } from '../picture.ts';
import { sampleInTurn } from '../sampler.ts';

const STAGE = 'queue';
const SOON = { deadlineMs: 10_000 };

/** The way to the engine thread and back, with a request's buffers and without. */
export async function run(context: BenchContext): Promise<void> {
  const pixels = PICTURE.width * PICTURE.height;
  const sizes = new Map([
    ['round trip of a 640x480 request', pixels],
    ['round trip of nothing', 0],
  ]);
  const wanted = [...sizes].filter(([name]) => context.wants(STAGE, name));
  if (wanted.length === 0) return;
  const pool = new EnginePool({
    entry: new URL('../engine_worker.ts', import.meta.url),
    device: 'cpu',
    workers: 1,
    queueCapacity: 8,
    watchdogMs: 30_000,
    settings: { featureCache: { maxBytes: 0, ttlMs: 0 } },
  });
  await pool.ready();
  const cases = wanted.map(([name, count]) => ({
    name,
    run: () => {
      const input = new Uint8Array(count * 3);
      return pool.submit(exchangeTask, { input, output: new Float32Array(count) }, SOON);
    },
  }));
  for (const { name, samples } of await sampleInTurn(cases)) context.report(STAGE, name, samples);
  pool.close();
}
