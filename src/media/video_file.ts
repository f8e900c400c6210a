import { FFmpegError } from 'node-av/lib';
import { MediaError } from './errors.ts';
import type { RgbImage } from './image.ts';
import { CODEC_NAMES } from './video_codecs.ts';
import { FrameCursor, type VideoStream } from './video_cursor.ts';
import type { TrackInfo } from './video_demux_protocol.ts';
import { type DemuxOptions, VideoDemuxer } from './video_demuxer.ts';
import {
  indicesFrom,
  type ReadOptions,
  requireIndex,
  type VideoFrame,
  type VideoFrames,
  type VideoInfo,
} from './video_frames.ts';
import type { FrameIndex } from './video_index.ts';
import { prefetched } from './video_prefetch.ts';
import { FrameReading } from './video_reading.ts';
import { type Presentation, RgbConverter } from './video_rgb.ts';
import { unreadable } from './video_unreadable.ts';

/** Frames made ahead of their use. */
const PREFETCH = 2;

/** A video file of one track; see `VideoFrames`. */
export class VideoFile implements VideoFrames {
  private readonly closing = new AbortController();
  private readonly open = new Set<FrameReading>();
  /** For single frames, one at a time. */
  private single: FrameReading | null = null;
  private last: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly stream: VideoStream,
    private readonly presentation: Presentation,
    readonly info: VideoInfo,
  ) {}

  /**
   * Indexes a file and decodes its first frame, so that what opens is known to be readable and of
   * the size it says.
   *
   * @throws {MediaError} 422 for anything that isn't a whole video within the limits
   */
  static async open(path: string, options: DemuxOptions): Promise<VideoFile> {
    const { field, maxPixels, signal } = options;
    const { demuxer, track, index } = await VideoDemuxer.open(path, options);
    try {
      requirePixels(track.presentation, maxPixels, field);
      const stream = { demuxer, track, index, maxPixels, field };
      const presentation = await measure(stream, signal);
      return new VideoFile(stream, presentation, describe(track, index, presentation));
    } catch (cause) {
      await demuxer.close();
      throw asMediaError(cause, field);
    }
  }

  timestampOf(index: number): number {
    requireIndex(index, this.info.totalFrames);
    return this.stream.index.timestampOf(index);
  }

  indexAt(seconds: number): number {
    return this.stream.index.indexAt(seconds);
  }

  frame(index: number, signal?: AbortSignal): Promise<VideoFrame> {
    const read = async () => {
      requireIndex(index, this.info.totalFrames);
      const ends = this.endsWith(signal);
      ends.throwIfAborted();
      this.single ??= await this.begin();
      return this.single.frame(index, ends);
    };
    const turn = this.last.then(read, read).catch((cause) => this.fail(cause));
    this.last = turn.catch(() => {});
    return turn;
  }

  async *frames(
    start: number,
    options: ReadOptions = {},
  ): AsyncGenerator<VideoFrame, void, undefined> {
    const indices = indicesFrom(start, options, this.info.totalFrames);
    const left = new AbortController();
    const signal = AbortSignal.any([this.endsWith(options.signal), left.signal]);
    const source = this.readAll(indices, signal);
    try {
      yield* prefetched(source, options.prefetch ?? PREFETCH);
    } finally {
      left.abort();
    }
  }

  async close(): Promise<void> {
    if (this.closing.signal.aborted) return;
    this.closing.abort(new Error('the video was closed'));
    await this.last;
    await Promise.all([...this.open].map((reading) => this.end(reading)));
    await this.stream.demuxer.close();
  }

  private async *readAll(
    indices: readonly number[],
    signal: AbortSignal,
  ): AsyncGenerator<VideoFrame, void, undefined> {
    signal.throwIfAborted();
    const reading = await this.begin();
    try {
      yield* reading.frames(indices, signal);
    } catch (cause) {
      this.fail(cause);
    } finally {
      await this.end(reading);
    }
  }

  private async begin(): Promise<FrameReading> {
    const cursor = await FrameCursor.open(this.stream);
    const reading = new FrameReading(
      cursor,
      new RgbConverter(this.presentation),
      this.stream.index,
    );
    this.open.add(reading);
    return reading;
  }

  private async end(reading: FrameReading): Promise<void> {
    this.open.delete(reading);
    await reading.close();
  }

  private endsWith(signal?: AbortSignal): AbortSignal {
    return signal ? AbortSignal.any([signal, this.closing.signal]) : this.closing.signal;
  }

  private fail(cause: unknown): never {
    // What breaks while a video is being closed broke because of it.
    if (this.closing.signal.aborted) throw this.closing.signal.reason;
    throw asMediaError(cause, this.stream.field);
  }
}

/** Decodes the first frame: the size that the container claims is only a claim. */
async function measure(stream: VideoStream, signal?: AbortSignal): Promise<Presentation> {
  const { track, maxPixels, field } = stream;
  const cursor = await FrameCursor.open(stream);
  try {
    const frame = await cursor.read(0, signal).catch((cause) => {
      throw cause instanceof MediaError ? undecodable(maxPixels, field) : cause;
    });
    const { width, height } = frame;
    frame.free();
    requirePixels({ width, height }, maxPixels, field);
    return { ...track.presentation, width, height };
  } finally {
    await cursor.close();
  }
}

/** What FFmpeg refuses lies in the caller's file, as long as there is memory. */
function asMediaError(cause: unknown, field: string): unknown {
  const isRefusal = cause instanceof FFmpegError && !/memory/i.test(cause.message);
  return isRefusal ? unreadable(cause, field) : cause;
}

/** Of a stream that is larger than its container says, the decoder only says that it won't. */
function undecodable(maxPixels: number, field: string): MediaError {
  const what = `${field}: its first frame can't be decoded`;
  const why = `it is damaged, or larger than the ${maxPixels} pixels that are taken`;
  return new MediaError(422, `${what}; ${why}.`, field);
}

function describe(track: TrackInfo, index: FrameIndex, shown: Presentation): VideoInfo {
  const { totalFrames, durationSeconds } = index;
  const { width, height } = turned(shown);
  return {
    totalFrames,
    fps: durationSeconds > 0 ? totalFrames / durationSeconds : 0,
    width,
    height,
    durationSeconds,
    codec: CODEC_NAMES[track.codec],
    container: track.container,
  };
}

function turned({ width, height, rotation }: Presentation): Pick<RgbImage, 'width' | 'height'> {
  return rotation % 180 === 0 ? { width, height } : { width: height, height: width };
}

function requirePixels(
  { width, height }: { readonly width: number; readonly height: number },
  maxPixels: number,
  field: string,
): void {
  if (width * height <= maxPixels) return;
  const given = `${field} is ${width}x${height} = ${width * height} pixels a frame`;
  throw new MediaError(422, `${given}; at most ${maxPixels} are decoded.`, field);
}
