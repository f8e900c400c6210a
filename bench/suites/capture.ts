import { graphFile, type OpenGraph, openGraph } from '../graphs.ts';
import type { BenchContext } from '../measurement.ts';
import { openForBench } from '../open.ts';

const STAGE = 'cpu cost';
const GRAPH = 'depth-vits';
const SQUARE = { batch: 1, height: 518, width: 518 };

/** The clock of a process's CPU time has ticks of its own: a sample is many runs. */
const RUNS = 50;
const SAMPLES = 30;

/**
 * What one run of a ViT-S costs the processor when the GPU costs nothing: Dawn's null backend takes
 * every command and computes none. CPU time is that of all threads of the process.
 */
export async function run(context: BenchContext): Promise<void> {
  for (const capture of [true, false]) {
    const title = `${GRAPH} 518x518 ${capture ? 'captured' : 'not captured'}`;
    if (!context.wants(STAGE, title)) continue;
    const backend = await openForBench('null');
    const graph = await openGraph(backend, await graphFile(GRAPH), { ...SQUARE, capture });
    const { cpu, wall } = await measure(graph);
    const notes = `all threads; ${RUNS} runs a sample${capture ? '; at most 1.5 ms' : ''}`;
    context.report(STAGE, title, cpu, notes);
    context.report(`${STAGE} by the wall clock`, title, wall, 'the same samples');
    await graph.close();
    await backend.dispose();
  }
}

async function measure({ run: once }: OpenGraph): Promise<{ cpu: number[]; wall: number[] }> {
  const cpu: number[] = [];
  const wall: number[] = [];
  for (let sample = -3; sample < SAMPLES; sample++) {
    const before = process.cpuUsage();
    const started = performance.now();
    for (let i = 0; i < RUNS; i++) await once();
    const elapsed = performance.now() - started;
    const { user, system } = process.cpuUsage(before);
    // The first few warm up.
    if (sample < 0) continue;
    cpu.push((user + system) / 1000 / RUNS);
    wall.push(elapsed / RUNS);
  }
  return { cpu, wall };
}
