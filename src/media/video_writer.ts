import {
  EncodedPacket,
  EncodedVideoPacketSource,
  FilePathTarget,
  Mp4OutputFormat,
  Output,
} from 'mediabunny';
import {
  AV_LOG_QUIET,
  AV_PIX_FMT_RGB24,
  AV_PIX_FMT_YUV420P,
  AVCOL_RANGE_JPEG,
  AVCOL_RANGE_MPEG,
  AVCOL_SPC_BT709,
  AVCOL_SPC_RGB,
  AVERROR_EAGAIN,
  AVERROR_EOF,
  FF_ENCODER_LIBX264,
} from 'node-av/constants';
import {
  Codec,
  CodecContext,
  Dictionary,
  FFmpegError,
  Frame,
  Log,
  Packet,
  Rational,
  SoftwareScaleContext,
} from 'node-av/lib';
import type { RgbImage } from './image.ts';

// x264 counts its macroblocks aloud.
Log.setLevel(AV_LOG_QUIET);

export interface WriterOptions {
  /** Pixels, even numbers. */
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** x264's constant rate factor: 18 looks like the original, 30 is small. Default 20. */
  readonly crf?: number;
}

/** High profile, level 4.0; the stream's own header has what it really is. */
const CODEC_STRING = 'avc1.640028';
/** Microseconds. */
const CLOCK = 1e6;

/**
 * Writes RGB pictures as an H.264 MP4 that plays everywhere: 4:2:0, BT.709, limited range. Whoever opens
 * one must close or dispose of it.
 */
export class VideoWriter {
  private readonly scaler = new SoftwareScaleContext();
  private readonly context = new CodecContext();
  private readonly packet = new Packet();
  private count = 0;
  private isFreed = false;

  private constructor(
    private readonly output: Output,
    private readonly source: EncodedVideoPacketSource,
    private readonly options: WriterOptions,
  ) {
    this.scaler.allocContext();
    this.packet.alloc();
  }

  /**
   * @param path of the file; one that is there is replaced
   * @throws {RangeError} for a side that is no even number, {@link FFmpegError}
   */
  static async open(path: string, options: WriterOptions): Promise<VideoWriter> {
    const { width, height } = options;
    if (![width, height].every((side) => side > 0 && side % 2 === 0)) {
      throw new RangeError(`a video of ${width}x${height}; expected even numbers of pixels`);
    }
    const source = new EncodedVideoPacketSource('avc');
    const format = new Mp4OutputFormat({ fastStart: 'in-memory' });
    const output = new Output({ format, target: new FilePathTarget(path) });
    output.addVideoTrack(source);
    await output.start();
    const writer = new VideoWriter(output, source, options);
    try {
      await writer.openEncoder();
    } catch (error) {
      await writer.dispose();
      throw error;
    }
    return writer;
  }

  /**
   * Appends a picture of the video's size.
   *
   * @throws {RangeError} for one of another size, {@link FFmpegError}
   */
  async add({ data, width, height }: RgbImage): Promise<void> {
    this.requireOpen();
    if (width !== this.options.width || height !== this.options.height) {
      const { width: w, height: h } = this.options;
      throw new RangeError(`a picture of ${width}x${height} in a video of ${w}x${h}`);
    }
    const rgb = newFrame(width, height, 'rgb');
    const yuv = newFrame(width, height, 'yuv');
    try {
      fill(rgb, data);
      FFmpegError.throwIfError(await this.scaler.scaleFrame(yuv, rgb), 'swscale');
      yuv.pts = BigInt(Math.round((this.count++ * CLOCK) / this.options.fps));
      FFmpegError.throwIfError(await this.context.sendFrame(yuv), 'x264');
    } finally {
      rgb.free();
      yuv.free();
    }
    await this.receive();
  }

  /**
   * Ends the file and gives everything back.
   *
   * @throws {FFmpegError}
   */
  async close(): Promise<void> {
    this.requireOpen();
    try {
      FFmpegError.throwIfError(await this.context.sendFrame(null), 'x264');
      await this.receive();
      await this.output.finalize();
    } finally {
      await this.dispose();
    }
  }

  /** Gives everything back, and leaves off a file that was not ended; a second call does nothing. */
  async dispose(): Promise<void> {
    if (this.isFreed) return;
    this.isFreed = true;
    if (this.output.state === 'started') await this.output.cancel();
    this.context.freeContext();
    this.scaler.freeContext();
    this.packet.free();
  }

  /** FFmpeg would read what was freed. */
  private requireOpen(): void {
    if (this.isFreed) throw new Error('the video was closed: open another to write more');
  }

  private async openEncoder(): Promise<void> {
    const codec = Codec.findEncoderByName(FF_ENCODER_LIBX264);
    if (!codec) throw new Error('this FFmpeg has no x264');
    const { context } = this;
    const { width, height, fps, crf = 20 } = this.options;
    context.allocContext3(codec);
    context.width = width;
    context.height = height;
    context.pixelFormat = AV_PIX_FMT_YUV420P;
    context.timeBase = new Rational(1, CLOCK);
    context.framerate = new Rational(Math.round(fps * 1000), 1000);
    context.colorSpace = AVCOL_SPC_BT709;
    context.colorRange = AVCOL_RANGE_MPEG;
    context.threadCount = 1;
    const settings = Dictionary.fromObject({ crf: String(crf), preset: 'slow' });
    FFmpegError.throwIfError(await context.open2(codec, settings), 'x264');
  }

  private async receive(): Promise<void> {
    const { context, packet, options, source } = this;
    const decoderConfig = {
      codec: CODEC_STRING,
      codedWidth: options.width,
      codedHeight: options.height,
    };
    for (;;) {
      const code = await context.receivePacket(packet);
      // It wants another picture, or has had the last one.
      if (code === AVERROR_EAGAIN || code === AVERROR_EOF) return;
      FFmpegError.throwIfError(code, 'x264');
      const type = packet.isKeyframe ? 'key' : 'delta';
      const data = new Uint8Array(packet.data ?? []);
      const seconds = Number(packet.pts) / CLOCK;
      await source.add(new EncodedPacket(data, type, seconds, 1 / options.fps), { decoderConfig });
      packet.unref();
    }
  }
}

function newFrame(width: number, height: number, kind: 'rgb' | 'yuv'): Frame {
  const frame = new Frame();
  frame.alloc();
  frame.width = width;
  frame.height = height;
  frame.format = kind === 'rgb' ? AV_PIX_FMT_RGB24 : AV_PIX_FMT_YUV420P;
  frame.colorSpace = kind === 'rgb' ? AVCOL_SPC_RGB : AVCOL_SPC_BT709;
  frame.colorRange = kind === 'rgb' ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
  FFmpegError.throwIfError(frame.getBuffer(0), 'a frame');
  return frame;
}

/** FFmpeg pads rows for its vector instructions. */
function fill(frame: Frame, pixels: Uint8Array): void {
  const rows = frame.data?.[0];
  if (!rows) throw new Error('FFmpeg gave a frame without data');
  const bytes = frame.width * 3;
  for (let y = 0; y < frame.height; y++) {
    rows.set(pixels.subarray(y * bytes, (y + 1) * bytes), y * frame.linesize[0]);
  }
}
