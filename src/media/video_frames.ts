import type { RgbImage } from './image.ts';

/** A decoded frame; its bytes may be transferred to a worker. */
export interface VideoFrame extends RgbImage {
  /** From 0, in the order of presentation. */
  readonly index: number;
  /** Seconds, as the file says; a file need not begin at 0. */
  readonly timestamp: number;
}

/** What a video is, read from the file itself. */
export interface VideoInfo {
  readonly totalFrames: number;
  /** Frames a second on average: `totalFrames / durationSeconds`. */
  readonly fps: number;
  /** Pixels of every frame, after rotation. */
  readonly width: number;
  readonly height: number;
  /** From the start of the first frame to the end of the last. */
  readonly durationSeconds: number;
  readonly codec: 'h264' | 'h265' | 'vp9' | 'av1' | 'jpeg' | 'png';
  readonly container: 'mp4' | 'mov' | 'webm' | 'mkv' | 'folder';
}

/** What a caller's video may be at most. */
export interface VideoLimits {
  /** Largest `width * height` of a frame. */
  readonly maxPixels: number;
  readonly maxFrames: number;
  readonly maxDurationSeconds: number;
}

/** Which frames to read, and how far ahead. */
export interface ReadOptions {
  /** From one frame to the next; negative reads backward. Default 1. */
  readonly step?: number;
  /** Frames to give at most. Default: all to the end, or to the beginning. */
  readonly count?: number;
  /** Frames that are decoded before they are asked for. Default 2. */
  readonly prefetch?: number;
  /** Ends the reading; its reason is thrown. */
  readonly signal?: AbortSignal;
}

/**
 * An opened video: random access and sequential reading by frame index, in bounded memory. Several
 * readings may go on at once.
 */
export interface VideoFrames {
  readonly info: VideoInfo;

  /**
   * When a frame is shown, in seconds.
   * @throws {RangeError} for an index outside the video
   */
  timestampOf(index: number): number;

  /** The frame that is shown at a time; before the first frame 0, after the last one the last. */
  indexAt(seconds: number): number;

  /**
   * One frame. The first in a group of pictures is the cheapest; others cost what lies between.
   * @throws {RangeError} for an index outside the video
   * @throws {MediaError} 422 when the file is damaged there
   */
  frame(index: number, signal?: AbortSignal): Promise<VideoFrame>;

  /**
   * Frames one after the other from `start` on. Leaving the loop ends the reading.
   * @throws {RangeError} for a start outside the video or a step of 0
   * @throws {MediaError} 422 when the file is damaged
   */
  frames(start: number, options?: ReadOptions): AsyncGenerator<VideoFrame, void, undefined>;

  /** Ends all readings and frees everything; an uploaded file is removed. May be called twice. */
  close(): Promise<void>;
}

/**
 * Gives a frame's memory back at once, not at the next garbage collection: at 6 MB a frame of
 * 1080p, that comes late. The frame is empty afterwards. One that was transferred needs none of it
 * here, but at the other end.
 */
export function releaseFrame({ data }: Pick<VideoFrame, 'data'>): void {
  data.buffer.transfer(0);
}

/** @throws {RangeError} unless `index` is a whole number from 0 to `totalFrames - 1` */
export function requireIndex(index: number, totalFrames: number): void {
  if (Number.isInteger(index) && index >= 0 && index < totalFrames) return;
  throw new RangeError(
    `frame ${index} is outside the video: it has frames 0 to ${totalFrames - 1}`,
  );
}

/** The indices that a reading goes through, checked. */
export function indicesFrom(start: number, options: ReadOptions, totalFrames: number): number[] {
  const { step = 1, count = Number.POSITIVE_INFINITY } = options;
  requireIndex(start, totalFrames);
  if (!Number.isInteger(step) || step === 0) {
    throw new RangeError(`step is ${step}; expected a whole number other than 0`);
  }
  const room = step > 0 ? totalFrames - 1 - start : start;
  const length = Math.min(count, Math.floor(room / Math.abs(step)) + 1);
  return Array.from({ length: Math.max(0, length) }, (_, turn) => start + turn * step);
}
