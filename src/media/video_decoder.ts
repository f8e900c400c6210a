import {
  AV_CODEC_ID_AV1,
  AV_CODEC_ID_H264,
  AV_CODEC_ID_HEVC,
  AV_CODEC_ID_VP9,
  AV_LOG_QUIET,
  AVERROR_EOF,
} from 'node-av/constants';
import { Codec, CodecContext, Dictionary, FFmpegError, Frame, Log, Packet } from 'node-av/lib';
import type { DecodableCodec } from './video_codecs.ts';

// What FFmpeg has to say about a stranger's file is told in an error, or not worth a line.
Log.setLevel(AV_LOG_QUIET);

const CODECS = {
  avc: AV_CODEC_ID_H264,
  hevc: AV_CODEC_ID_HEVC,
  vp9: AV_CODEC_ID_VP9,
  av1: AV_CODEC_ID_AV1,
} as const;

export interface DecoderSettings {
  readonly codec: DecodableCodec;
  /** Parameter sets from the container: avcC or hvcC; absent where packets carry them. */
  readonly description?: Uint8Array;
  /** Largest frame that memory is taken for, whatever the container said. */
  readonly maxPixels: number;
}

/**
 * FFmpeg's decoder for one stream, in native threads. Not to be used by two callers at once.
 *
 * Packets go in in decoding order and frames come out in the order of presentation. A frame's `pts`
 * is the number that its packet went in with. Frames belong to the caller, who must free them.
 */
export class VideoDecoder {
  private readonly packet = new Packet();

  private constructor(private readonly context: CodecContext) {
    this.packet.alloc();
  }

  static async open({ codec, description, maxPixels }: DecoderSettings): Promise<VideoDecoder> {
    const found = Codec.findDecoder(CODECS[codec]);
    if (!found) throw new Error(`this FFmpeg has no decoder for ${codec}`);
    const context = new CodecContext();
    context.allocContext3(found);
    context.extraData = description ? Buffer.from(description) : null;
    // Frames are buffered for reordering as far as the standard allows, even where the stream
    // announces nothing: else the first ones come out in the wrong order (strict). Decoders pad
    // frames to whole blocks, so the exact size is checked on what comes out (max_pixels).
    const options = { strict: '1', max_pixels: String(2 * maxPixels) };
    const status = await context.open2(found, Dictionary.fromObject(options));
    if (status < 0) {
      context.freeContext();
      throw new FFmpegError(status);
    }
    return new VideoDecoder(context);
  }

  /** Decodes a packet, which need not make a frame at once. */
  async decode(data: Uint8Array, pts: number, isKey: boolean): Promise<Frame[]> {
    this.packet.data = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    this.packet.pts = BigInt(pts);
    this.packet.isKeyframe = isKey;
    const status = await this.context.sendPacket(this.packet);
    this.packet.unref();
    return this.received(status);
  }

  /** The frames that are left after the last packet. */
  async finish(): Promise<Frame[]> {
    return this.received(await this.context.sendPacket(null));
  }

  /** Forgets what went in, to begin elsewhere. */
  reset(): void {
    this.context.flushBuffers();
  }

  close(): void {
    this.context.freeContext();
    this.packet.free();
  }

  /** A damaged packet is no failure by itself: its frame is missing, and whoever wants it sees. */
  private async received(sent: number): Promise<Frame[]> {
    if (sent === AVERROR_EOF) return [];
    const frames: Frame[] = [];
    for (;;) {
      const frame = new Frame();
      frame.alloc();
      if ((await this.context.receiveFrame(frame)) < 0) {
        frame.free();
        return frames;
      }
      frames.push(frame);
    }
  }
}
