import type { MemoryLimits } from './model.ts';

/** 1 forward in time, −1 backward. */
export type Direction = 1 | -1;

/** The frames of one object that something is remembered of. */
export interface KnownFrames {
  /** Frames that were prompted, in any order. */
  readonly conditioning: readonly number[];
  /** Frames that were tracked, with their effective IoU; none of them conditioning. */
  readonly recent: ReadonlyMap<number, number>;
  /** Those of the recent ones whose memory was released and whose pointer is left. */
  readonly released?: ReadonlySet<number>;
}

/** A frame whose memory is attended to, and its row of the time table. */
interface RecalledMemory {
  readonly frame: number;
  readonly row: number;
}

/** A frame whose object pointer is attended to, and how many frames back it counts. */
interface RecalledPointer {
  readonly frame: number;
  readonly distance: number;
}

export interface Recall {
  readonly memories: readonly RecalledMemory[];
  readonly pointers: readonly RecalledPointer[];
}

export interface RecallOptions extends MemoryLimits {
  /**
   * Count only recent frames on which the object was seen well, and the one before: SAM 3's memory
   * selection, which transformers lacks. Distances then are places among these.
   */
  readonly selective: boolean;
}

/** Recent frames at or below this effective IoU are passed over (`mf_threshold`). */
const LEAST_EFFECTIVE_IOU = 0.01;

/**
 * What frame `frame` remembers when time runs in `direction`.
 *
 * Memories: the conditioning frames chosen by {@link nearestConditioning}, with the last row of the
 * time table; and of the `timeRows` − 1 frames before, those that were tracked or are conditioning
 * frames not chosen, a frame d back with row d − 1. Pointers: all conditioning frames that are not
 * ahead, and up to `pointers` − 1 tracked frames. Sources: transformers' `Sam3TrackerVideoModel`
 * (`_gather_memory_frame_outputs`, `_get_object_pointers`) and facebookresearch/sam3,
 * `sam3_tracker_base.py` (`frame_filter`).
 */
export function recall(
  known: KnownFrames,
  frame: number,
  direction: Direction,
  options: RecallOptions,
): Recall {
  const { timeRows, pointers, selective } = options;
  const chosen = nearestConditioning(known.conditioning, frame, options.conditioning);
  const isSpare = (other: number) => known.conditioning.includes(other) && !chosen.includes(other);
  const isHeld = (other: number) => known.recent.has(other) && !known.released?.has(other);
  const past = selective
    ? seenWell(known.recent, frame, direction, pointers - 1)
    : Array.from({ length: pointers - 1 }, (_, i) => frame - direction * (i + 1));
  const memories = past
    .slice(0, timeRows - 1)
    .map((other, row) => ({ frame: other, row }))
    .filter((one) => isHeld(one.frame) || isSpare(one.frame));
  return {
    memories: [...chosen.map((other) => ({ frame: other, row: timeRows - 1 })), ...memories],
    pointers: [
      ...known.conditioning
        .map((other) => ({ frame: other, distance: (frame - other) * direction }))
        .filter(({ distance }) => distance >= 0),
      ...past
        .map((other, i) => ({ frame: other, distance: i + 1 }))
        .filter((one) => known.recent.has(one.frame)),
    ],
  };
}

/**
 * Up to `most` conditioning frames: the last one before, the first one not before, then the nearest
 * of the others, the earlier given first where two are equally near.
 */
function nearestConditioning(
  conditioning: readonly number[],
  frame: number,
  most: number,
): readonly number[] {
  if (conditioning.length <= most) return conditioning;
  const before = Math.max(...conditioning.filter((other) => other < frame));
  const after = Math.min(...conditioning.filter((other) => other >= frame));
  const sides = [before, after].filter(Number.isFinite).slice(0, most);
  const others = conditioning
    .filter((other) => !sides.includes(other))
    .sort((a, b) => Math.abs(a - frame) - Math.abs(b - frame));
  return [...sides, ...others.slice(0, most - sides.length)];
}

/** The nearest frames of the past that are worth remembering, and always the one before; nearest first. */
function seenWell(
  recent: ReadonlyMap<number, number>,
  frame: number,
  direction: Direction,
  most: number,
): number[] {
  const previous = frame - direction;
  const others = [...recent]
    .filter(([other, iou]) => (previous - other) * direction > 0 && iou > LEAST_EFFECTIVE_IOU)
    .map(([other]) => other)
    .sort((a, b) => (b - a) * direction);
  return [previous, ...others.slice(0, most - 1)];
}

/**
 * How well an object was seen, in [0, 1]: (2·sigmoid(score) − 1)·IoU where the score is positive,
 * else 0 (facebookresearch/sam3, `cal_mem_score`).
 *
 * @param objectScore logit
 */
export function effectiveIou(objectScore: number, iou: number): number {
  return objectScore > 0 ? (2 / (1 + Math.exp(-objectScore)) - 1) * iou : 0;
}
