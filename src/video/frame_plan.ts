import type { ReadOptions } from '../media/video_frames.ts';
import type { Direction } from './track/recall.ts';

/** Frames one after another in one direction. */
export interface Leg {
  readonly start: number;
  readonly direction: Direction;
  readonly count: number;
}

/** Which frames a propagation goes through. */
export interface PropagationQuery {
  readonly direction: 'forward' | 'backward' | 'both';
  readonly start: number;
  /** In each direction, the start counted; null for all. */
  readonly maxFrames: number | null;
  /** Whether new instances of the session's texts become objects. */
  readonly trackNew: boolean;
  /** Whether those that soon prove wrong are taken back, also from the frames before. */
  readonly settle: boolean;
}

/**
 * The legs of a propagation: forward from the start frame, then backward from it. It comes once, first;
 * in each direction it counts.
 */
export function planFrames(
  { direction, start, maxFrames }: PropagationQuery,
  totalFrames: number,
): Leg[] {
  const most = maxFrames ?? totalFrames;
  const ahead = Math.min(most, totalFrames - start);
  const behind = Math.min(most, start + 1);
  const legs: Record<PropagationQuery['direction'], Leg[]> = {
    forward: [{ start, direction: 1, count: ahead }],
    backward: [{ start, direction: -1, count: behind }],
    both: [
      { start, direction: 1, count: ahead },
      { start: start - 1, direction: -1, count: behind - 1 },
    ],
  };
  return legs[direction].filter(({ count }) => count > 0);
}

/** How a leg is read, decoded a little ahead. */
export function readingOf({ direction, count }: Leg, signal: AbortSignal): ReadOptions {
  return { step: direction, count, signal };
}
