import { IMAGENET, imageToTensor, normalisation } from '../../kernels/image-to-tensor/kernel.ts';
import { resizeDepth } from '../../kernels/resize-depth/kernel.ts';
import { unproject } from '../../kernels/unproject/kernel.ts';
import type { Backend, Model } from '../compute/backend.ts';
import { withTensors } from '../compute/scope.ts';
import type { Tensor } from '../compute/tensor.ts';
import {
  type EngineContext,
  type EngineModule,
  engineModule,
  type TaskOutcome,
} from '../engine/task.ts';
import { OpenModels } from '../models/open_models.ts';
import { keptPoints, packColors, valueRange } from './answer.ts';
import type { Size } from './input_size.ts';
import {
  type CloudOptions,
  type DepthGraph,
  type DepthOutput,
  type DepthTask,
  depthTask,
} from './task.ts';

/** Depth in the engine thread: pixels → input tensor → graph → depth and points. */
export function depthModule({ backend }: EngineContext): EngineModule {
  const models = new OpenModels(backend);
  return engineModule(
    depthTask,
    (tasks) => runDepth(backend, models, tasks),
    () => models.names(),
  );
}

const NORMALISATION = normalisation(IMAGENET);

/** One batch. On WebGPU stages only enqueue, so waiting for the GPU counts as postprocessing. */
export async function runDepth(
  backend: Backend,
  models: OpenModels,
  tasks: readonly DepthTask[],
): Promise<TaskOutcome<DepthOutput>[]> {
  return withTensors(backend, async (keep) => {
    const started = performance.now();
    const model = await openGraph(models, tasks);
    const opened = performance.now();
    const images = tasks.map(({ pixels, size }) =>
      keep(backend.upload(pixels, [size.height, size.width, 3])),
    );
    const input = keep(prepareInput(backend, tasks, images));
    const prepared = performance.now();
    const { graph } = tasks[0];
    const results = await model.run({ [graph.input]: input }, [graph.output]);
    const raw = keep(results[graph.output]);
    const inferred = performance.now();
    const timings = {
      ...(opened - started > 1 && { load: opened - started }),
      preprocess: prepared - opened,
      infer: inferred - prepared,
    };
    const outcomes: TaskOutcome<DepthOutput>[] = [];
    for (const [index, task] of tasks.entries()) {
      const begun = performance.now();
      try {
        const output = await finish(backend, task, raw, index, images[index]);
        outcomes.push({
          output,
          timings: { ...timings, postprocess: performance.now() - begun },
        });
      } catch (error) {
        outcomes.push({ error });
      }
    }
    return outcomes;
  });
}

/** A batch of several takes the graph as it is; one image may have one of its own shape. */
function openGraph(models: OpenModels, tasks: readonly DepthTask[]): Promise<Model> {
  const { graph, inputSize } = tasks[0];
  const fixedDims = tasks.length === 1 ? fixedShape(graph, inputSize) : null;
  return fixedDims ? models.getFor(graph, fixedDims) : models.get(graph);
}

/** The graph's free dimensions at this size; null when one has no name to fix it by. */
function fixedShape({ freeDims }: DepthGraph, { width, height }: Size) {
  const sizes = { batch: 1, height, width };
  const fixed: Record<string, number> = {};
  for (const axis of ['batch', 'height', 'width'] as const) {
    const name = freeDims[axis];
    if (name === '') return null;
    if (name !== null) fixed[name] = sizes[axis];
  }
  return fixed;
}

/** All images of the batch, side by side, as float32 [B, 3, H, W]. */
function prepareInput(
  backend: Backend,
  tasks: readonly DepthTask[],
  images: readonly Tensor[],
): Tensor {
  const { width, height } = tasks[0].inputSize;
  const input = backend.empty('float32', [tasks.length, 3, height, width]);
  tasks.forEach(({ size }, index) => {
    backend.run(imageToTensor, [images[index], input], {
      src_width: size.width,
      src_height: size.height,
      dst_width: width,
      dst_height: height,
      dst_offset: index * 3 * height * width,
      cubic: 1,
      ...NORMALISATION,
    });
  });
  return input;
}

/** Map `index` of the raw batch → the answer at the image's resolution. */
async function finish(
  backend: Backend,
  task: DepthTask,
  raw: Tensor,
  index: number,
  image: Tensor,
): Promise<DepthOutput> {
  // The graph's own output size, which is the input's in every published export.
  const [height, width] = raw.dims.slice(-2);
  const sizes = {
    src_width: width,
    src_height: height,
    dst_width: task.size.width,
    dst_height: task.size.height,
    src_offset: index * height * width,
    depth_scale: task.depthScale,
  };
  if (task.cloud) return finishCloud(backend, task, task.cloud, raw, image, sizes);
  return withTensors(backend, async (keep) => {
    const target = keep(backend.empty('float32', [task.size.height, task.size.width]));
    backend.run(resizeDepth, [raw, target], sizes);
    const depth = await backend.download(target);
    return { depth, ...valueRange(depth), points: null, colors: null };
  });
}

async function finishCloud(
  backend: Backend,
  { size }: DepthTask,
  { intrinsics, stride, depthRange, colors }: CloudOptions,
  raw: Tensor,
  image: Tensor,
  sizes: Parameters<typeof resizeDepth.cpu>[1],
): Promise<DepthOutput> {
  const count = Math.ceil(size.width / stride) * Math.ceil(size.height / stride);
  return withTensors(backend, async (keep) => {
    const target = keep(backend.empty('float32', [size.height, size.width]));
    const points = keep(backend.empty('float32', [count, 3]));
    // A kernel's buffers are all bound: without colours this one is never written.
    const rgb = keep(backend.empty('uint32', [colors ? count : 1]));
    backend.run(unproject, [raw, image, target, points, rgb], {
      ...sizes,
      ...intrinsics,
      stride,
      min_depth: depthRange?.[0] ?? -FLOAT_MAX,
      max_depth: depthRange?.[1] ?? FLOAT_MAX,
      colored: colors ? 1 : 0,
    });
    const depth = await backend.download(target);
    const range = valueRange(depth);
    const all = await backend.download(points);
    const packed = colors ? packColors(await backend.download(rgb)) : null;
    return {
      depth,
      ...range,
      ...(depthRange ? keptPoints(all, packed) : { points: all, colors: packed }),
    };
  });
}

/** The largest float32. */
const FLOAT_MAX = 3.4028234663852886e38;
