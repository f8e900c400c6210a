import { withTensors } from '../../compute/scope.ts';
import type { Tensor } from '../../compute/tensor.ts';
import { answerMasks, type TrackedObject } from './answer.ts';
import { attendToMemory } from './attend.ts';
import { type DecodedObject, decodeMasks, encodeMemories, takeApart } from './decode.ts';
import type { FrameFeatures, VideoFrame } from './frame_features.ts';
import type { Keep, TrackerEngine } from './graphs.ts';
import type { FrameMemory, PromptPoint } from './memory_bank.ts';
import { type Direction, effectiveIou } from './recall.ts';
import type { ObjectState } from './tracked_object.ts';

/** A frame of a clip, encoded. */
export interface EncodedFrame extends Pick<VideoFrame, 'size'> {
  readonly index: number;
  readonly features: FrameFeatures;
  /** Of the clip; null where that is not known. */
  readonly frames: number | null;
}

/** A mask that is fed back is cut to ± this (facebookresearch/sam3, `add_new_points_or_box`). */
const MAX_FED_LOGIT = 32;

/** Finds objects by their memories, in one run, and remembers them. */
export function findTracked(
  engine: TrackerEngine,
  frame: EncodedFrame,
  objects: readonly ObjectState[],
  direction: Direction,
): Promise<TrackedObject[]> {
  const { index, features, frames, size } = frame;
  return withTensors(engine.backend, async (keep) => {
    const recalled = objects.map(({ id, bank }) => {
      const recall = bank.recall(index, direction);
      if (recall) return { bank, recall };
      throw new Error(`object ${id} has no prompted frame to be tracked from`);
    });
    const embedding = await attendToMemory(engine, features, recalled, frames, keep);
    const prompts = objects.map(() => ({ points: [], mask: null }));
    const run = await decodeMasks(engine, features, embedding, prompts, keep);
    const memories = await encodeMemories(engine, features, run, false, keep);
    const found = objects.map(({ id }, i) => ({
      id,
      objectScore: run.objectScores[i],
      iou: run.ious[i],
    }));
    const answers = await answerMasks(engine, run.masks, found, size);
    for (const [i, decoded] of takeApart(engine, run, memories).entries()) {
      objects[i].bank.addTracked(remember(index, direction, decoded, []));
      objects[i].tracked.add(index);
    }
    return answers;
  });
}

/**
 * Finds one object by its points, all that were given on this frame. On a frame where it was tracked
 * its memory and the mask that is there take part, and so does the mask where it was prompted.
 */
export async function findPrompted(
  engine: TrackerEngine,
  { index, features, frames }: EncodedFrame,
  { bank, tracked }: ObjectState,
  points: readonly PromptPoint[],
  keep: Keep,
): Promise<DecodedObject> {
  const present = bank.get(index);
  const recall = tracked.has(index) ? bank.recall(index, present?.direction ?? 1) : null;
  const embedding = recall
    ? await attendToMemory(engine, features, [{ bank, recall }], frames, keep)
    : features.alone;
  const mask = present ? await fedMask(engine, present, keep) : null;
  const run = await decodeMasks(engine, features, embedding, [{ points, mask }], keep);
  const memories = await encodeMemories(engine, features, run, true, keep);
  return takeApart(engine, run, memories)[0];
}

/** The mask that is there, as the decoder takes it; that of an absent object is all outside. */
async function fedMask(
  { backend }: TrackerEngine,
  { logits, objectScore }: FrameMemory,
  keep: Keep,
): Promise<Tensor<'float32'> | null> {
  if (!logits) return null;
  const most = objectScore > 0 ? MAX_FED_LOGIT : -MAX_FED_LOGIT;
  const values = await backend.download(logits);
  const fed = values.map((logit) => Math.min(Math.max(logit, -MAX_FED_LOGIT), most));
  return keep(backend.upload(fed, logits.dims)) as Tensor<'float32'>;
}

/** What is kept of an object on a frame; takes the tensors over. */
export function remember(
  frame: number,
  direction: Direction,
  decoded: DecodedObject,
  points: readonly PromptPoint[],
): FrameMemory {
  const { objectScore, iou } = decoded;
  const pointerFrom = decoded.hasPointer ? frame : null;
  const seen = effectiveIou(objectScore, iou);
  return { ...decoded, frame, pointerFrom, direction, points, effectiveIou: seen };
}
