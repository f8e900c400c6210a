import type { Backend } from '../../src/compute/backend.ts';
import { readRandomGraphs } from '../../src/models/random_weights.ts';
import { type GraphUse, graphFile, MINI, openGraph } from '../graphs.ts';
import type { BenchContext } from '../measurement.ts';
import { openForBench } from '../open.ts';
import { BUDGET, type Budget, sampleInTurn } from '../sampler.ts';

const STAGE = 'infer';
const OPEN_STAGE = 'open';

interface ModelCase {
  readonly graph: string;
  readonly use: GraphUse;
  /** Runs that are enqueued before the GPU is waited for; 1 measures how long an answer takes. */
  readonly together: number;
  /** Takes long or much memory: only when a filter spells it out. */
  readonly heavy?: boolean;
}

/** Inference alone: the graph, with its input on the device already. */
export async function run(context: BenchContext): Promise<void> {
  const backend = await openForBench(context.device);
  const cases = await casesFor(context, backend);
  for (const one of cases) {
    const title = titleOf(one);
    const wanted = context.wants(STAGE, title) || context.wants(OPEN_STAGE, title);
    if (wanted && (!one.heavy || context.spellsOut(one.graph)))
      await measure(context, backend, one);
  }
  await backend.dispose();
}

async function casesFor(context: BenchContext, backend: Backend): Promise<ModelCase[]> {
  const names = Object.keys((await readRandomGraphs()).graphs);
  if (context.device === 'cpu') return [...CPU_MINI, ...names.map(onCpu)];
  if (context.device === 'software') return [{ ...onCpu(MINI), use: TINY }];
  const half = backend.info.features.includes('shader-f16');
  return [MINI, ...names.filter((name) => half || !name.includes('fp16'))].flatMap(onGpu);
}

const SQUARE = { batch: 1, height: 518, width: 518 };
/** What a 640×480 picture enters the model as. */
const REQUEST = { batch: 1, height: 518, width: 686 };
/** For a software rasteriser. */
const TINY = { batch: 1, height: 140, width: 140, capture: true };

const CPU_MINI: readonly ModelCase[] = [
  { ...onCpu(MINI), use: { ...REQUEST, capture: false } },
  { ...onCpu(MINI), use: { batch: 1, height: 252, width: 336, capture: false } },
];

function onCpu(name: string): ModelCase {
  const use = { ...(isDynamic(name) ? REQUEST : SQUARE), capture: false };
  const heavy = name !== MINI && name !== 'depth-vits';
  return { graph: name, use, together: 1, heavy };
}

/** Captured and not, one at a time and many; batches of the graphs whose size is free. */
function onGpu(name: string): ModelCase[] {
  const size = isDynamic(name) ? REQUEST : SQUARE;
  const heavy = name.endsWith('-dynamic') && name !== 'depth-vits-fp16-dynamic';
  const one = { graph: name, together: 1, heavy };
  const captured = { ...one, use: { ...size, capture: true } };
  const cases = [
    captured,
    { ...captured, together: 8 },
    { ...one, use: { ...size, capture: false } },
  ];
  if (isDynamic(name)) cases.push({ ...one, use: { ...REQUEST, batch: 8, capture: false } });
  return cases;
}

function isDynamic(name: string): boolean {
  return name === MINI || name.endsWith('-dynamic');
}

function titleOf({ graph, use, together }: ModelCase): string {
  const { batch, height, width, capture } = use;
  const size = `${width}x${height}`;
  const parts = [graph, size, batch > 1 && `batch ${batch}`, capture && 'captured'];
  return [...parts, together > 1 && `${together} enqueued`].filter(Boolean).join(' ');
}

async function measure(context: BenchContext, backend: Backend, one: ModelCase): Promise<void> {
  const title = titleOf(one);
  const file = await graphFile(one.graph);
  const started = performance.now();
  const graph = await openGraph(backend, file, one.use);
  // The first run compiles the shaders and, captured, records.
  await graph.run();
  await backend.synchronize();
  const openMs = performance.now() - started;
  context.reportValue(OPEN_STAGE, title, { median: openMs, n: 1, notes: 'file to first result' });
  const settle = backend.info.kind === 'webgpu' ? () => backend.synchronize() : undefined;
  const timed = { name: title, run: graph.run, settle, repeats: one.together };
  const [{ samples }] = await sampleInTurn([timed], budgetFor(context));
  const notes = one.use.batch > 1 ? 'ms per batch' : '';
  context.report(STAGE, title, samples, notes);
  await graph.close();
}

/** A software rasteriser takes seconds a run. */
function budgetFor({ device }: BenchContext): Budget {
  if (device !== 'software') return BUDGET;
  return { warmUpMs: 0, ms: 20_000, minSamples: 3, maxSamples: 10 };
}
