import { benchRequest } from '../bodies.ts';
import { installRandomVits } from '../graphs.ts';
import type { BenchContext } from '../measurement.ts';
import { startServerProcess } from '../server_client.ts';
import { quantile } from '../statistics.ts';

const STAGE = 'health';
const NAME = '/health while a ViT-S loads and runs';
/** Questions asked while the engine works, at least: a 99th percentile needs some hundreds. */
const QUESTIONS = 500;
/** Pause between two questions, so that they do not become a load of their own. */
const PAUSE_MS = 5;

/** How long `/health` takes while the engine opens a ViT-S and answers requests with it. */
export async function run(context: BenchContext): Promise<void> {
  if (!context.wants(STAGE, NAME)) return;
  await installRandomVits();
  const request = await benchRequest({
    path: '/metric_depth',
    accept: 'application/json',
    encoder: 'vits',
  });
  const server = await startServerProcess(context.device);
  const ask = async () => {
    const started = performance.now();
    await (await fetch(`${server.url}/health`)).json();
    return performance.now() - started;
  };
  for (let i = 0; i < 50; i++) await ask();
  const times: number[] = [];
  const work = (async () => {
    while (times.length < QUESTIONS) {
      const response = await fetch(`${server.url}${request.path}`, request.init);
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`${request.name}: ${response.status}`);
    }
  })();
  while (times.length < QUESTIONS) {
    times.push(await ask());
    await Bun.sleep(PAUSE_MS);
  }
  await work;
  await server.stop();
  context.report(STAGE, NAME, times);
  const p99 = quantile(
    times.toSorted((a, b) => a - b),
    0.99,
  );
  context.reportValue(STAGE, `${NAME}: p99`, {
    median: p99,
    n: times.length,
    notes: 'at most 20 ms',
  });
}
