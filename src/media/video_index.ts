import type { EncodedPacket } from 'mediabunny';
import { MediaError } from './errors.ts';
import type { VideoLimits } from './video_frames.ts';

/** What the index needs of a packet; its data stays unread. */
type PacketHead = Pick<EncodedPacket, 'timestamp' | 'duration' | 'type'>;

/** An index as it crosses between threads; see `FrameIndex`. */
export interface IndexTables {
  readonly shown: Float64Array<ArrayBuffer>;
  readonly frames: Int32Array<ArrayBuffer>;
  readonly packets: Int32Array<ArrayBuffer>;
  readonly keys: Int32Array<ArrayBuffer>;
  readonly durationSeconds: number;
}

/**
 * Which packet holds which frame, from the packets' times alone. Packets come in decoding order;
 * frames are numbered in the order of presentation.
 */
export class FrameIndex {
  /** Seconds at which each frame is shown, ascending. */
  private readonly shown: Float64Array;
  /**
   * The frame in each packet, by decoding order. Negative: decoded for others' sake, not shown, as
   * an edit list may say.
   */
  private readonly frames: Int32Array;
  /** The packet that holds each frame. */
  private readonly packets: Int32Array;
  /** Decoding order of the packets that need no other one, ascending. */
  private readonly keys: Int32Array;
  readonly durationSeconds: number;

  constructor(readonly tables: IndexTables) {
    this.shown = tables.shown;
    this.frames = tables.frames;
    this.packets = tables.packets;
    this.keys = tables.keys;
    this.durationSeconds = tables.durationSeconds;
  }

  /**
   * @throws {MediaError} 422 for a video without frames, without a key frame, or past the limits
   */
  static async from(
    packets: AsyncIterable<PacketHead>,
    limits: VideoLimits,
    field: string,
  ): Promise<FrameIndex> {
    const times: number[] = [];
    const keys: number[] = [];
    let end = Number.NEGATIVE_INFINITY;
    let hidden = 0;
    for await (const { timestamp, duration, type } of packets) {
      if (type === 'key') keys.push(times.length);
      if (times.push(timestamp) > limits.maxFrames) throw tooMany(limits.maxFrames, field);
      if (timestamp + duration <= 0 && timestamp < 0) hidden++;
      end = Math.max(end, timestamp + duration);
    }
    if (times.length - hidden <= 0) throw new MediaError(422, `${field} has no frames.`, field);
    if (keys.length === 0) {
      throw new MediaError(422, `${field} has no key frame: nothing in it can be decoded.`, field);
    }
    return FrameIndex.inOrder(times, keys, hidden, end).within(limits, field);
  }

  private static inOrder(times: number[], keys: number[], hidden: number, end: number): FrameIndex {
    const order = times.map((_, packet) => packet).sort((a, b) => times[a] - times[b] || a - b);
    const frames = new Int32Array(times.length);
    for (const [rank, packet] of order.entries()) frames[packet] = rank - hidden;
    const shown = Float64Array.from(order.slice(hidden), (packet) => times[packet]);
    const packets = Int32Array.from(order.slice(hidden));
    return new FrameIndex({
      shown,
      frames,
      packets,
      keys: Int32Array.from(keys),
      durationSeconds: durationOf(shown, end),
    });
  }

  private within({ maxDurationSeconds }: VideoLimits, field: string): FrameIndex {
    if (this.durationSeconds <= maxDurationSeconds) return this;
    const given = `${field} lasts ${this.durationSeconds.toFixed(1)} s`;
    throw new MediaError(422, `${given}; at most ${maxDurationSeconds} s are taken.`, field);
  }

  get totalFrames(): number {
    return this.shown.length;
  }

  timestampOf(frame: number): number {
    return this.shown[frame];
  }

  /** The last frame that is shown at or before a time. */
  indexAt(seconds: number): number {
    return Math.max(0, lastAtMost(this.shown, seconds));
  }

  /** The frame that a packet holds; negative when it is not shown. */
  frameIn(packet: number): number {
    return this.frames[packet];
  }

  packetOf(frame: number): number {
    return this.packets[frame];
  }

  /**
   * The packet to decode from for a frame: the last key packet that is shown no later. Pictures
   * that are decoded after a later key packet but shown before it need what came earlier.
   */
  keyPacketFor(frame: number): number {
    let low = 0;
    let high = this.keys.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.frames[this.keys[middle]] <= frame) low = middle;
      else high = middle - 1;
    }
    return this.keys[low];
  }
}

function durationOf(shown: Float64Array, end: number): number {
  const last = shown[shown.length - 1];
  const span = last - shown[0];
  // Matroska often leaves out how long the last frame is shown: as long as the others, then.
  const known = end - last;
  const lastLength = known > 0 || shown.length === 1 ? known : span / (shown.length - 1);
  return span + Math.max(0, lastLength);
}

/** The last place whose value is at most `wanted`, or -1. */
function lastAtMost(ascending: Float64Array, wanted: number): number {
  let low = -1;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (ascending[middle] <= wanted) low = middle;
    else high = middle - 1;
  }
  return low;
}

function tooMany(maxFrames: number, field: string): MediaError {
  return new MediaError(422, `${field} has more than ${maxFrames} frames, the most taken.`, field);
}
