import type { Tensor } from '../../compute/tensor.ts';
import { uploadFeeds } from '../../sam/feeds.ts';
import type { FrameFeatures } from './frame_features.ts';
import type { DecodedRun, DecoderPrompt } from './graph_data.ts';
import { type Keep, requireFinite, runGraph, type TrackerEngine, uploadFloats } from './graphs.ts';
import type { EdgeTamGraphs } from './model.ts';
import { resizeAntialiased } from './resize_mask.ts';

/** What is remembered where the object is absent (transformers' `NO_OBJ_SCORE`). */
const NO_OBJECT = -1024;

const EMPTY = { x: 0, y: 0, label: -1 };

const OUTPUTS = ['iou_scores', 'pred_masks', 'object_score_logits'] as const;

/**
 * One object, by EdgeTAM's published decoders: a frame with points by that of clicks, which gives no
 * pointer and takes no mask, any other by the one without prompts. Of three masks the one with the
 * best predicted IoU is taken.
 *
 * @param embedding `image_embeddings.2`: [1, C, g, g]
 * @param prompts one
 */
export async function decodeEdgeTam(
  engine: TrackerEngine,
  { decoder, bank }: EdgeTamGraphs,
  features: FrameFeatures,
  embedding: Tensor,
  [{ points }]: readonly DecoderPrompt[],
  keep: Keep,
): Promise<DecodedRun> {
  const { backend, models, model } = engine;
  const embeddings = {
    'image_embeddings.0': features.high,
    'image_embeddings.1': features.middle,
    'image_embeddings.2': embedding,
  };
  const isClicked = points.length > 0;
  // The published graph leaves the empty point that closes a prompt to its caller.
  const closed = [...points, EMPTY];
  const clicks = {
    input_points: { values: closed.flatMap(({ x, y }) => [x, y]), dims: [1, 1, closed.length, 2] },
    input_labels: { values: closed.map(({ label }) => label), dims: [1, 1, closed.length] },
    input_boxes: { values: [], dims: [1, 0, 4] },
  };
  const results: Partial<Record<string, Tensor<'float32'>>> = isClicked
    ? await runGraph(
        engine,
        model.clickDecoder,
        {
          ...embeddings,
          ...uploadFeeds(backend, await models.get(model.clickDecoder), clicks, keep),
        },
        OUTPUTS,
        keep,
      )
    : await runGraph(engine, decoder, embeddings, [...OUTPUTS, 'object_pointer'], keep);
  const { iou_scores, pred_masks, object_score_logits, object_pointer } = results as Record<
    string,
    Tensor<'float32'>
  >;
  const [scores, objectScores] = await Promise.all([
    backend.download(iou_scores),
    backend.download(object_score_logits),
  ]);
  requireFinite(model, scores, objectScores);
  const best = scores.indexOf(Math.max(...scores));
  const side = model.maskSize;
  const masks = keep(backend.empty('float32', [1, 1, side, side]));
  backend.copy(pred_masks, masks, { from: best * side ** 2, count: side ** 2 });
  const { channels, noObjectPointer } = bank;
  const pointers = uploadFloats(engine, noObjectPointer, [1, channels], keep) as Tensor<'float32'>;
  if (!isClicked && objectScores[0] > 0) {
    backend.copy(object_pointer, pointers, { from: best * channels, count: channels });
  }
  const ious = Float32Array.of(scores[best]);
  return { masks, pointers, hasPointers: !isClicked, objectScores, ious };
}

/**
 * The memory of one object on a frame, float32 [1, 2, T, Cm]: features, then positions.
 *
 * @param masks logits [1, 1, m, m]
 * @param fromPrompt whether the mask was prompted: then it is thresholded
 */
export async function encodeEdgeTam(
  engine: TrackerEngine,
  { bank }: EdgeTamGraphs,
  features: FrameFeatures,
  masks: Tensor<'float32'>,
  objectScore: number,
  fromPrompt: boolean,
  keep: Keep,
): Promise<Tensor<'float32'>> {
  const { backend, model } = engine;
  const { maskInput, memoryTokens, memoryChannels, scale, bias } = bank;
  const square = (side: number) => ({ width: side, height: side });
  const logits = await backend.download(masks);
  const shown = objectScore > 0 ? logits : logits.map(() => NO_OBJECT);
  const fine = resizeAntialiased(shown, square(model.maskSize), square(maskInput));
  const share = (logit: number) => (fromPrompt ? Number(logit > 0) : 1 / (1 + Math.exp(-logit)));
  const mask = fine.map((logit) => share(logit) * scale + bias);
  const { memory_features, memory_positions } = await runGraph(
    engine,
    model.memoryEncoder,
    {
      vision_features: features.raw,
      mask_for_memory: uploadFloats(engine, mask, [1, 1, maskInput, maskInput], keep),
    },
    ['memory_features', 'memory_positions'],
    keep,
  );
  const size = memoryTokens * memoryChannels;
  const memory = keep(backend.empty('float32', [1, 2, memoryTokens, memoryChannels]));
  backend.copy(memory_features, memory, { count: size });
  backend.copy(memory_positions, memory, { to: size, count: size });
  return memory;
}
