import { close, fstat, open } from 'node:fs';
import { promisify } from 'node:util';
import { MediaError } from './errors.ts';
import { EXPECTED_VIDEO } from './video_codecs.ts';
import type { DemuxCalls, Packet, TrackInfo } from './video_demux_protocol.ts';
import { type AskOptions, DemuxThread } from './video_demux_thread.ts';
import type { VideoLimits } from './video_frames.ts';
import { FrameIndex } from './video_index.ts';
import { refuseTableBombs } from './video_tables.ts';
import { missingBytes } from './video_truncation.ts';

export interface DemuxOptions extends VideoLimits {
  /** The request field that the file came from, for error messages. */
  readonly field: string;
  /** Milliseconds that the parser may work on one question. */
  readonly parseTimeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Packets in decoding order. */
export interface PacketRun {
  /** When the first one, a key packet, is shown; null for the file's first packet, whatever it is. */
  readonly timestamp: number | null;
  readonly packets: AsyncGenerator<Packet, void, undefined>;
}

/** A file's index and its packets, found in a thread of its own. */
export class VideoDemuxer {
  private readonly thread = DemuxThread.take();
  private readings = 0;
  private closed: Promise<void> | null = null;

  private constructor(
    private readonly fd: number,
    private readonly options: AskOptions,
  ) {}

  /**
   * @throws {MediaError} 422 for a file that is no video, is cut off, has no video track, or one in
   *   another codec, is past the limits, or keeps the parser busy for too long
   */
  static async open(
    path: string,
    options: DemuxOptions,
  ): Promise<{ demuxer: VideoDemuxer; track: TrackInfo; index: FrameIndex }> {
    const { field, signal, parseTimeoutMs: timeoutMs, maxFrames } = options;
    // A plain number: a FileHandle that is forgotten ends the process when it is collected.
    const fd = await promisify(open)(path, 'r');
    let demuxer: VideoDemuxer | null = null;
    const cancel = () => demuxer?.thread.stop(signal?.reason);
    try {
      const size = await inspect(fd, maxFrames, field);
      signal?.throwIfAborted();
      demuxer = new VideoDemuxer(fd, { field, timeoutMs });
      signal?.addEventListener('abort', cancel, { once: true });
      const { track, tables } = await demuxer.index(size, options);
      return { demuxer, track, index: new FrameIndex(tables) };
    } catch (cause) {
      await (demuxer ? demuxer.close() : promisify(close)(fd));
      throw cause;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  /** Reads on from the key packet that is shown at a time, or from the file's first packet. */
  async packetsFrom(seconds: number | null): Promise<PacketRun> {
    const reading = this.readings++;
    const { timestamp } = await this.thread.ask('begin', { reading, seconds }, this.options);
    return { timestamp, packets: this.packets(reading) };
  }

  close(): Promise<void> {
    this.closed ??= (async () => {
      // First the thread lets go: the file's number may be another file's once it is closed.
      await this.thread.release(this.options);
      await promisify(close)(this.fd);
    })();
    return this.closed;
  }

  private index(size: number, options: DemuxOptions): Promise<DemuxCalls['open']['answer']> {
    const { field, maxPixels, maxFrames, maxDurationSeconds } = options;
    const limits = { maxPixels, maxFrames, maxDurationSeconds };
    return this.thread.ask('open', { fd: this.fd, size, field, limits }, this.options);
  }

  private async *packets(reading: number): AsyncGenerator<Packet, void, undefined> {
    const ask = () => {
      const next = this.thread.ask('next', { reading }, this.options);
      next.catch(() => {});
      return next;
    };
    try {
      for (let next = ask(); ; ) {
        const { packets, isLast } = await next;
        // The thread reads the next ones while these are decoded.
        if (!isLast) next = ask();
        yield* packets;
        if (isLast) return;
      }
    } finally {
      // After the video is closed the thread may have another file.
      if (!this.closed) this.thread.ask('end', { reading }, this.options).catch(() => {});
    }
  }
}

/** What has to be known before the parser sees the file; gives its size. */
async function inspect(fd: number, maxFrames: number, field: string): Promise<number> {
  const { size } = await promisify(fstat)(fd);
  if (size === 0)
    throw new MediaError(422, `${field} is empty; expected ${EXPECTED_VIDEO}.`, field);
  const missing = await missingBytes(fd, size);
  if (missing > 0) {
    const given = `${field} is truncated: ${missing} bytes are missing at its end`;
    throw new MediaError(422, `${given}. Send a whole file.`, field);
  }
  await refuseTableBombs(fd, size, maxFrames, field);
  return size;
}
