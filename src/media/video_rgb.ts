import {
  AV_PIX_FMT_RGB24,
  AVCOL_RANGE_JPEG,
  AVCOL_RANGE_MPEG,
  AVCOL_RANGE_UNSPECIFIED,
  AVCOL_SPC_BT470BG,
  AVCOL_SPC_BT709,
  AVCOL_SPC_BT2020_NCL,
  AVCOL_SPC_RGB,
  AVCOL_SPC_SMPTE170M,
  AVCOL_SPC_UNSPECIFIED,
  type AVColorSpace,
} from 'node-av/constants';
import { FFmpegError, Frame, SoftwareScaleContext } from 'node-av/lib';
import sharp from 'sharp';
import type { RgbImage } from './image.ts';

/** How a file wants its pictures shown. */
export interface Presentation {
  /** Of a picture as it is coded. */
  readonly width: number;
  readonly height: number;
  /** Degrees clockwise. */
  readonly rotation: 0 | 90 | 180 | 270;
  /** Mirrored left to right, after the rotation. */
  readonly flip: boolean;
  /** What the container says, for streams that say nothing themselves. */
  readonly matrix?: string | null;
  readonly fullRange?: boolean | null;
}

const MATRICES: Readonly<Record<string, AVColorSpace>> = {
  rgb: AVCOL_SPC_RGB,
  bt709: AVCOL_SPC_BT709,
  bt470bg: AVCOL_SPC_BT470BG,
  smpte170m: AVCOL_SPC_SMPTE170M,
  'bt2020-ncl': AVCOL_SPC_BT2020_NCL,
};

/**
 * Decoded frames to packed RGB8, in native threads, by the matrix and range that the stream or else
 * the container names; where neither does, BT.601 limited. Conversion is swscale's fast path, so
 * that BT.601 files give OpenCV's pixels to the bit; OpenCV takes BT.709 for BT.601, this does not.
 * High dynamic range is not tone-mapped. Pixels that are not square stay as they are coded.
 *
 * Every picture has the first one's size: where a stream changes it, later ones are scaled.
 */
export class RgbConverter {
  private readonly scaler = new SoftwareScaleContext();
  /** What swscale writes to, again and again. */
  private target: Frame | null = null;

  constructor(readonly presentation: Presentation) {
    // Left uninitialised: only then does swscale take matrix and range from each frame.
    this.scaler.allocContext();
  }

  /** The frame stays the caller's. Not to be used by two callers at once. */
  async convert(frame: Frame): Promise<RgbImage> {
    const { width, height, matrix, fullRange } = this.presentation;
    if (frame.colorSpace === AVCOL_SPC_UNSPECIFIED) {
      frame.colorSpace = MATRICES[matrix ?? ''] ?? AVCOL_SPC_UNSPECIFIED;
    }
    if (frame.colorRange === AVCOL_RANGE_UNSPECIFIED && typeof fullRange === 'boolean') {
      frame.colorRange = fullRange ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
    }
    this.target ??= rgbFrame(width, height);
    FFmpegError.throwIfError(await this.scaler.scaleFrame(this.target, frame), 'swscale');
    return this.oriented({ data: packed(this.target), width, height });
  }

  close(): void {
    this.scaler.freeContext();
    this.target?.free();
    this.target = null;
  }

  private async oriented(image: RgbImage): Promise<RgbImage> {
    const { rotation, flip } = this.presentation;
    if (rotation === 0 && !flip) return image;
    const { width, height } = image;
    let picture = sharp(image.data, { raw: { width, height, channels: 3 } }).rotate(rotation);
    // sharp mirrors first and turns then: left to right after a quarter turn is top to bottom
    // before it.
    if (flip) picture = rotation % 180 === 0 ? picture.flop() : picture.flip();
    const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
    // What sharp returns can't be transferred.
    return { data: new Uint8Array(data), width: info.width, height: info.height };
  }
}

function rgbFrame(width: number, height: number): Frame {
  const frame = new Frame();
  frame.alloc();
  frame.width = width;
  frame.height = height;
  frame.format = AV_PIX_FMT_RGB24;
  frame.colorSpace = AVCOL_SPC_RGB;
  frame.colorRange = AVCOL_RANGE_JPEG;
  const status = frame.getBuffer(0);
  if (status < 0) {
    frame.free();
    throw new FFmpegError(status);
  }
  return frame;
}

/** FFmpeg pads rows for its vector instructions. */
function packed(frame: Frame): Uint8Array<ArrayBuffer> {
  const rows = frame.data?.[0];
  if (!rows) throw new Error('swscale gave a frame without data');
  const bytes = frame.width * 3;
  const stride = frame.linesize[0];
  const { width, height } = frame;
  const data = new Uint8Array(width * height * 3);
  if (stride === bytes) data.set(rows.subarray(0, data.length));
  else {
    for (let y = 0; y < height; y++) {
      data.set(rows.subarray(y * stride, y * stride + bytes), y * bytes);
    }
  }
  return data;
}
