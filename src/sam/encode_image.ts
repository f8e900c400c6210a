import type { Backend, Model } from '../compute/backend.ts';
import { withTensors } from '../compute/scope.ts';
import type { Tensor } from '../compute/tensor.ts';
import { adapterOf, neededFeatures } from './adapters/adapter.ts';
import type { Lease, NamedTensors } from './feature_cache.ts';
import { prepareAntialiased } from './preprocess.ts';
import type { SegmentEngine } from './run.ts';
import type { StageTimes } from './stage_times.ts';
import type { ImageTask } from './types.ts';

/** An image's features on the device, and whether they were there already. */
export interface EncodedImage {
  readonly lease: Lease;
  readonly hit: boolean;
}

/** The features that a model's heads read: from the cache, or encoded and put there. */
export async function encodeImage(
  engine: SegmentEngine,
  task: ImageTask,
  times: StageTimes,
): Promise<EncodedImage> {
  const { encoder, name } = task.model;
  const key = `${name} ${encoder.file} ${encoder.version} ${task.imageKey}`;
  const known = engine.images.get(key);
  if (known) return { lease: known, hit: true };
  const features = await encode(engine, task, times);
  return { lease: engine.images.add(key, features), hit: false };
}

async function encode(
  { backend, models }: SegmentEngine,
  task: ImageTask,
  times: StageTimes,
): Promise<NamedTensors> {
  const { imageSize, encoder } = task.model;
  const input = adapterOf(task.model).pixels;
  const shape = { [input]: [1, 3, imageSize, imageSize] };
  const graph = await times.measure('load', () => models.getForShapes(encoder, shape, 'only'));
  return withTensors(backend, async (keep) => {
    const pixels = await times.measure('preprocess', async () => {
      const { size, model } = task;
      const image = keep(backend.upload(task.pixels, [size.height, size.width, 3]));
      return keep(prepareAntialiased(backend, image, size, imageSize, model));
    });
    return times.measure('encode', async () => {
      const wanted = neededFeatures(task.model);
      const results = await graph.run({ [input]: pixels }, wanted);
      return own(backend, graph, results);
    });
  });
}

/** Results that the model's next run leaves alone. */
function own(backend: Backend, model: Model, results: NamedTensors): NamedTensors {
  if (!model.reusesOutputs) return results;
  const copies: Record<string, Tensor> = {};
  try {
    for (const [name, result] of Object.entries(results)) {
      copies[name] = backend.empty(result.dtype, result.dims);
      backend.copy(result, copies[name]);
    }
    return copies;
  } catch (error) {
    backend.release(...Object.values(copies));
    throw error;
  } finally {
    backend.release(...Object.values(results));
  }
}
