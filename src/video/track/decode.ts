import { elementCount, type Tensor } from '../../compute/tensor.ts';
import { decodeEdgeTam, encodeEdgeTam } from './edgetam.ts';
import type { FrameFeatures } from './frame_features.ts';
import type { DecodedRun, DecoderPrompt } from './graph_data.ts';
import { type Keep, requireFinite, runGraph, type TrackerEngine, uploadFloats } from './graphs.ts';
import type { PromptPoint } from './memory_bank.ts';

/** One object's answer; tensors belong to whoever asked. */
export interface DecodedObject {
  /** float32 [1, 1, m, m] */
  readonly logits: Tensor<'float32'>;
  /** float32 [C] */
  readonly pointer: Tensor<'float32'>;
  /** False where the model gave none: then it is zeros. */
  readonly hasPointer: boolean;
  /** float32 [Cm, g, g]; of EdgeTAM's set [2, T, Cm], features and positions */
  readonly memory: Tensor<'float32'>;
  /** Logit: the object is there where it is above 0. */
  readonly objectScore: number;
  /** In [0, 1]. */
  readonly iou: number;
}

/** Prompts as SAM is trained: without points there is an empty one. */
const EMPTY: PromptPoint = { x: 0, y: 0, label: -1 };

/** More points leave no doubt which of three masks is meant. */
const MAX_AMBIGUOUS_POINTS = 1;

/**
 * @param embedding `image_embeddings.2`: [1 or objects, C, g, g]
 * @throws Error where the graph gave scores that are no numbers
 */
export async function decodeMasks(
  engine: TrackerEngine,
  features: FrameFeatures,
  embedding: Tensor,
  prompts: readonly DecoderPrompt[],
  keep: Keep,
): Promise<DecodedRun> {
  const { backend, model } = engine;
  if (model.edgetam)
    return decodeEdgeTam(engine, model.edgetam, features, embedding, prompts, keep);
  const points = prompts.map((prompt) => (prompt.points.length > 0 ? prompt.points : [EMPTY]));
  const [count, each, side] = [prompts.length, points[0].length, model.maskSize];
  const masks = keep(backend.empty('float32', [count, 1, side, side]));
  prompts.forEach(({ mask }, i) => {
    if (mask) backend.copy(mask, masks, { to: i * side ** 2 });
  });
  const floats = (values: readonly number[], dims: readonly number[]) =>
    uploadFloats(engine, values, dims, keep);
  const several = prompts.map((prompt) => prompt.points.length <= MAX_AMBIGUOUS_POINTS);
  const results = await runGraph(
    engine,
    model.clickDecoder,
    {
      'image_embeddings.0': features.high,
      'image_embeddings.1': features.middle,
      'image_embeddings.2': embedding,
      input_points: floats(
        points.flat().flatMap(({ x, y }) => [x, y]),
        [1, count, each, 2],
      ),
      input_labels: floats(
        points.flat().map(({ label }) => label),
        [1, count, each],
      ),
      input_masks: masks,
      has_input_masks: floats(
        prompts.map(({ mask }) => Number(mask !== null)),
        [count],
      ),
      multimask: floats(several.map(Number), [count]),
    },
    ['best_mask', 'best_iou', 'object_pointer', 'object_score_logits'],
    keep,
  );
  const [objectScores, ious] = await Promise.all([
    backend.download(results.object_score_logits),
    backend.download(results.best_iou),
  ]);
  requireFinite(model, objectScores, ious);
  return { masks: results.best_mask, pointers: results.object_pointer, objectScores, ious };
}

/**
 * The memories of objects on a frame, float32 [objects, Cm, g, g].
 *
 * @param fromPrompt whether the masks were prompted: then they are thresholded
 */
export async function encodeMemories(
  engine: TrackerEngine,
  features: FrameFeatures,
  { masks, objectScores }: Pick<DecodedRun, 'masks' | 'objectScores'>,
  fromPrompt: boolean,
  keep: Keep,
): Promise<Tensor<'float32'>> {
  const { edgetam } = engine.model;
  if (edgetam) {
    return encodeEdgeTam(engine, edgetam, features, masks, objectScores[0], fromPrompt, keep);
  }
  const count = objectScores.length;
  const { memory_features } = await runGraph(
    engine,
    engine.model.memoryEncoder,
    {
      tracker_feat: features.raw,
      mask_logits: masks,
      object_score_logits: uploadFloats(engine, objectScores, [count, 1], keep),
      is_mask_from_points: uploadFloats(
        engine,
        Array(count).fill(Number(fromPrompt)),
        [count],
        keep,
      ),
    },
    ['memory_features'],
    keep,
  );
  return memory_features;
}

/** Copies each object's part of a run, so that it outlives the scope. */
export function takeApart(
  engine: TrackerEngine,
  { masks, pointers, hasPointers = true, objectScores, ious }: DecodedRun,
  memories: Tensor<'float32'>,
): DecodedObject[] {
  const { backend } = engine;
  const taken: Tensor[] = [];
  const take = (source: Tensor<'float32'>, index: number, dims: readonly number[]) => {
    const count = elementCount(dims);
    const part = backend.empty('float32', dims);
    taken.push(part);
    backend.copy(source, part, { from: index * count, count });
    return part;
  };
  try {
    return Array.from(objectScores, (objectScore, i) => ({
      logits: take(masks, i, [1, ...masks.dims.slice(1)]),
      hasPointer: hasPointers,
      pointer: take(pointers, i, pointers.dims.slice(1)),
      memory: take(memories, i, memories.dims.slice(1)),
      objectScore,
      iou: ious[i],
    }));
  } catch (error) {
    backend.release(...taken);
    throw error;
  }
}
