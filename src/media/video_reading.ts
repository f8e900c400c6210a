import type { Frame } from 'node-av/lib';
import type { FrameCursor } from './video_cursor.ts';
import type { VideoFrame } from './video_frames.ts';
import type { FrameIndex } from './video_index.ts';
import type { RgbConverter } from './video_rgb.ts';

/** What decoded frames that are held while reading backward may take, at 3 bytes a pixel. */
const HELD_BYTES = 128 << 20;
const BYTES_PER_PIXEL = 3;

/** One reading of a video: a place in it, and the way to RGB. One call at a time. */
export class FrameReading {
  private isClosed = false;
  private working: Promise<unknown> = Promise.resolve();
  /** Decoded ahead while reading backward, ascending. */
  private readonly held: { readonly frame: Frame; readonly index: number }[] = [];

  constructor(
    private readonly cursor: FrameCursor,
    private readonly converter: RgbConverter,
    private readonly index: FrameIndex,
  ) {}

  async frame(index: number, signal: AbortSignal): Promise<VideoFrame> {
    return this.toRgb(await this.decoded(index, signal), index);
  }

  /** Frames in the order of the indices, which all go one way. */
  async *frames(
    indices: readonly number[],
    signal: AbortSignal,
  ): AsyncGenerator<VideoFrame, void, undefined> {
    if (indices.length > 1 && indices[1] < indices[0]) yield* this.backward(indices, signal);
    else for (const index of indices) yield await this.frame(index, signal);
  }

  /** Frees the native memory, once what is under way has ended. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await this.working;
    for (const { frame } of this.held.splice(0)) frame.free();
    await this.cursor.close();
    this.converter.close();
  }

  /**
   * A decoder only goes forward: a stretch of frames is decoded, held, and given from its end. A
   * stretch lies within one group of pictures and in `HELD_BYTES`; of a longer group, the head is
   * decoded once for each stretch.
   */
  private async *backward(
    indices: readonly number[],
    signal: AbortSignal,
  ): AsyncGenerator<VideoFrame, void, undefined> {
    for (let next = 0; next < indices.length; ) {
      const stretch = this.stretchFrom(indices, next);
      for (const index of stretch) {
        this.held.push({ index, frame: await this.decoded(index, signal) });
      }
      for (let one = this.held.pop(); one; one = this.held.pop()) {
        yield await this.toRgb(one.frame, one.index);
        signal.throwIfAborted();
      }
      next += stretch.length;
    }
  }

  /** Ascending indices, the last of which is `indices[from]`. */
  private stretchFrom(indices: readonly number[], from: number): number[] {
    const { width, height } = this.converter.presentation;
    const most = Math.max(1, Math.floor(HELD_BYTES / (width * height * BYTES_PER_PIXEL)));
    const key = this.index.keyPacketFor(indices[from]);
    const group = indices.slice(from, from + most);
    const end = group.findIndex((index) => this.index.keyPacketFor(index) !== key);
    return group.slice(0, end < 0 ? group.length : end).reverse();
  }

  private decoded(index: number, signal: AbortSignal): Promise<Frame> {
    return this.run(() => this.cursor.read(index, signal));
  }

  private toRgb(frame: Frame, index: number): Promise<VideoFrame> {
    return this.run(async () => {
      try {
        const image = await this.converter.convert(frame);
        return { ...image, index, timestamp: this.index.timestampOf(index) };
      } finally {
        frame.free();
      }
    });
  }

  /** Native memory must not be freed under a call that uses it. */
  private run<T>(work: () => Promise<T>): Promise<T> {
    if (this.isClosed) return Promise.reject(new Error('the video was closed'));
    const result = work();
    this.working = result.catch(() => {});
    return result;
  }
}
