import type { Backend } from '../../src/compute/backend.ts';
import { depthInputSize } from '../../src/depth/input_size.ts';
import { DepthModels } from '../../src/depth/models.ts';
import { runDepth } from '../../src/depth/pipeline.ts';
import type { CloudOptions, DepthTask } from '../../src/depth/task.ts';
import type { Timings } from '../../src/engine/task.ts';
import { decodeImage } from '../../src/media/image.ts';
import { OpenModels } from '../../src/models/open_models.ts';
import { openStore } from '../../src/models/store.ts';
import { installRandomVits } from '../graphs.ts';
import type { BenchContext } from '../measurement.ts';
import { openForBench } from '../open.ts';
import { INTRINSICS, requestPicture } from '../picture.ts';

const STAGE = 'depth task';
const WARM_UP = 5;
const MIN_RUNS = 15;
const MAX_RUNS = 100;
const RUN_MS = 3000;

const CLOUD: CloudOptions = { intrinsics: INTRINSICS, stride: 1, depthRange: null, colors: true };

/** What the engine does with one request, by its own stages, as `Server-Timing` reports them. */
export async function run(context: BenchContext): Promise<void> {
  const encoders = ['mini', 'vits'] as const;
  const cases = encoders.flatMap((encoder) =>
    [null, CLOUD].map((cloud) => {
      const name = `${encoder} 640x480 ${cloud ? 'cloud with colours' : 'depth'}`;
      return { name, encoder, cloud };
    }),
  );
  const wanted = cases.filter(({ name }) => context.wants(STAGE, name));
  if (wanted.length === 0) return;
  if (wanted.some(({ encoder }) => encoder === 'vits')) await installRandomVits();
  const backend = await openForBench(context.device);
  for (const { name, encoder, cloud } of wanted) {
    const task = await taskFor(backend, encoder, cloud);
    const stages = await measure(backend, task);
    for (const [stage, values] of stages) context.report(STAGE, `${name}: ${stage}`, values);
  }
  await backend.dispose();
}

async function taskFor(
  backend: Backend,
  encoder: 'mini' | 'vits',
  cloud: CloudOptions | null,
): Promise<DepthTask> {
  const image = await decodeImage(await requestPicture(), {
    maxBytes: 1 << 26,
    maxPixels: 1 << 26,
  });
  const models = new DepthModels(openStore(), false);
  const { graph } = models.find(
    { encoder, dataset: 'hypersim', kind: 'metric' },
    backend.info.kind,
  );
  const size = { width: image.width, height: image.height };
  const inputSize = depthInputSize(size, 518);
  return { graph, pixels: image.data, size, inputSize, depthScale: 1, cloud };
}

/** Milliseconds by stage, and of the whole task. */
async function measure(backend: Backend, task: DepthTask): Promise<Map<string, number[]>> {
  const models = new OpenModels(backend);
  const stages = new Map<string, number[]>();
  const note = (timings: Timings) => {
    for (const [stage, ms] of Object.entries(timings)) {
      stages.set(stage, [...(stages.get(stage) ?? []), ms]);
    }
  };
  for (let i = 0; i < WARM_UP; i++) await runDepth(backend, models, [task]);
  const until = performance.now() + RUN_MS;
  for (let i = 0; i < MIN_RUNS || (i < MAX_RUNS && performance.now() < until); i++) {
    const started = performance.now();
    const [outcome] = await runDepth(backend, models, [task]);
    if ('error' in outcome) throw outcome.error;
    note({ ...outcome.timings, 'whole task': performance.now() - started });
  }
  return stages;
}
