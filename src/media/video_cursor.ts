import type { Frame } from 'node-av/lib';
import { MediaError } from './errors.ts';
import { VideoDecoder } from './video_decoder.ts';
import type { Packet, TrackInfo } from './video_demux_protocol.ts';
import type { VideoDemuxer } from './video_demuxer.ts';
import type { FrameIndex } from './video_index.ts';

/** An opened file, shared by its readings. */
export interface VideoStream {
  readonly demuxer: VideoDemuxer;
  readonly track: TrackInfo;
  readonly index: FrameIndex;
  readonly maxPixels: number;
  /** The request field that the file came from, for error messages. */
  readonly field: string;
}

/** Beginning anew costs about as much as decoding so many packets. */
const NEAR_PACKETS = 8;

/** Times are computed in floating point, twice. */
const SAME_SECONDS = 1e-6;

/**
 * One reading's place in a video: a decoder of its own, fed from the last key packet before the
 * frame that is wanted, or from where it is when that is nearer.
 */
export class FrameCursor {
  private packets: AsyncGenerator<Packet, void, undefined> | null = null;
  /** The next packet to decode. */
  private packet = 0;
  /** Decoded, not yet asked for. */
  private ready: Frame[] = [];
  /** Frames before this one are past. */
  private position = 0;
  private atEnd = false;

  private constructor(
    private readonly stream: VideoStream,
    private readonly decoder: VideoDecoder,
  ) {}

  static async open(stream: VideoStream): Promise<FrameCursor> {
    const { track, maxPixels } = stream;
    const { codec, description } = track;
    const decoder = await VideoDecoder.open({ codec, description, maxPixels });
    return new FrameCursor(stream, decoder);
  }

  /**
   * Decodes until a frame has come out; it is the caller's to free. After an error the next read
   * begins anew.
   *
   * @throws {MediaError} 422 when the frame doesn't come out
   */
  async read(index: number, signal?: AbortSignal): Promise<Frame> {
    try {
      if (!this.isAheadOf(index)) await this.seek(index);
      for (;;) {
        signal?.throwIfAborted();
        const frame = this.take(index);
        if (frame) return frame;
        if (this.atEnd) throw this.missing(index);
        await this.advance();
      }
    } catch (cause) {
      await this.leave();
      throw cause;
    }
  }

  async close(): Promise<void> {
    await this.leave();
    this.decoder.close();
  }

  /** Whether reading on gets to a frame, with no key packet far ahead to jump to. */
  private isAheadOf(index: number): boolean {
    if (!this.packets || index < this.position) return false;
    return this.stream.index.keyPacketFor(index) <= this.packet + NEAR_PACKETS;
  }

  private async seek(index: number): Promise<void> {
    await this.leave();
    const { demuxer, index: table } = this.stream;
    const claimed = table.keyPacketFor(index);
    const first = table.frameIn(claimed);
    // A key packet that isn't shown has no time of its own here: the whole head is decoded.
    const run = await demuxer.packetsFrom(first < 0 ? null : table.timestampOf(first));
    if (run.timestamp === null) this.packet = 0;
    else if (this.isShownAt(first, run.timestamp)) this.packet = claimed;
    else this.packet = table.packetOf(table.indexAt(run.timestamp));
    this.packets = run.packets;
    this.position = index;
  }

  /** The frame, if it has come out; those before it are let go. */
  private take(index: number): Frame | undefined {
    for (;;) {
      const frame = this.ready[0];
      if (!frame) return undefined;
      const given = Number(frame.pts);
      if (given > index) throw this.missing(index);
      this.ready.shift();
      this.position = given + 1;
      if (given === index) return frame;
      frame.free();
    }
  }

  private async advance(): Promise<void> {
    const next = await this.packets?.next();
    if (!next || next.done) {
      this.atEnd = true;
      this.ready.push(...(await this.decoder.finish()));
      return;
    }
    const { data, timestamp, isKey } = next.value;
    const frame = this.stream.index.frameIn(this.packet++);
    if (!this.isShownAt(frame, timestamp)) throw this.missing(frame);
    this.ready.push(...(await this.decoder.decode(data, frame, isKey)));
  }

  /** A file whose parts disagree must not give one frame for another. */
  private isShownAt(frame: number, timestamp: number): boolean {
    return frame < 0 || Math.abs(this.stream.index.timestampOf(frame) - timestamp) < SAME_SECONDS;
  }

  private async leave(): Promise<void> {
    for (const frame of this.ready) frame.free();
    this.ready = [];
    await this.packets?.return();
    this.packets = null;
    this.atEnd = false;
    this.position = 0;
    this.decoder.reset();
  }

  private missing(index: number): MediaError {
    const { field } = this.stream;
    const what = `${field} is damaged: frame ${index} can't be decoded`;
    return new MediaError(422, `${what}. Send a whole file, or encode it again.`, field);
  }
}
