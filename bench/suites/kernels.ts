import type { Backend } from '../../src/compute/backend.ts';
import type { KernelBench } from '../kernel_bench.ts';
import type { BenchContext } from '../measurement.ts';
import { openForBench } from '../open.ts';
import { BUDGET, sampleInTurn } from '../sampler.ts';

const STAGE = 'kernel';
const GPU_STAGE = 'kernel gpu clock';
/** Runs of one case between two readings of the GPU's clock; its query set holds 256. */
const CLOCKED_RUNS = 100;
/** A software rasteriser takes up to a second a run. */
const SOFTWARE = { warmUpMs: 0, ms: 1000, minSamples: 5, maxSamples: 50 };

/** Every kernel's own cases, on any backend. */
export async function run(context: BenchContext): Promise<void> {
  const backend = await openForBench(context.device, { timestamps: true });
  for (const bench of await kernelBenches()) await measure(context, backend, bench);
  await backend.dispose();
}

/** `kernels/<name>/<name>.bench.ts`, by name. */
async function kernelBenches(): Promise<KernelBench[]> {
  const folder = new URL('../../kernels/', import.meta.url).pathname;
  const files = await Array.fromAsync(new Bun.Glob('*/*.bench.ts').scan({ cwd: folder }));
  const modules = files.sort().map((file) => import(`${folder}${file}`));
  return (await Promise.all(modules)).map(({ bench }: { bench: KernelBench }) => bench);
}

/** All cases of a kernel, sampled in turn. */
async function measure(
  context: BenchContext,
  backend: Backend,
  { kernel, cases }: KernelBench,
): Promise<void> {
  const isGpu = backend.info.kind === 'webgpu';
  const wanted = cases.filter(({ name }) => context.wants(STAGE, `${kernel} ${name}`));
  const prepared = wanted.map((one) => ({ ...one, ...one.prepare(backend) }));
  const settle = isGpu ? () => backend.synchronize() : undefined;
  const sampled = await sampleInTurn(
    prepared.map(({ name, run }) => ({ name, run, settle })),
    backend.info.software ? SOFTWARE : BUDGET,
  );
  for (const [index, { samples, repeats }] of sampled.entries()) {
    const { name, cpuBoundMs, run: enqueue } = prepared[index];
    const title = `${kernel} ${name}`;
    const bound = cpuBoundMs === undefined ? '' : `at most ${cpuBoundMs} ms`;
    const notes = isGpu ? `${repeats} enqueued together` : bound;
    context.report(STAGE, title, samples, notes);
    if (isGpu) await measureOnGpuClock(context, backend, kernel, title, enqueue);
  }
  for (const { release } of prepared) release();
}

/** The compute pass alone, from the GPU's timestamps, where the device has them. */
async function measureOnGpuClock(
  context: BenchContext,
  backend: Backend,
  kernel: string,
  title: string,
  run: () => void,
): Promise<void> {
  await backend.kernelTimes();
  const runs = backend.info.software ? SOFTWARE.minSamples : CLOCKED_RUNS;
  for (let i = 0; i < runs; i++) run();
  const nanoseconds = (await backend.kernelTimes()).get(kernel) ?? [];
  if (nanoseconds.length === 0) return;
  const milliseconds = nanoseconds.map((ns) => ns / 1e6);
  context.report(GPU_STAGE, title, milliseconds, 'timestamps around the pass');
}
