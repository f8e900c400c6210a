import sharp, { type Metadata, type SharpOptions } from 'sharp';
import { MediaError } from './errors.ts';
import {
  ACCEPTED_FORMATS,
  describeBytes,
  type ImageFormat,
  sniffImageFormat,
} from './image_format.ts';

// libvips keeps decoded operations for reuse; a server never sees the same input twice.
sharp.cache(false);

/** A decoded picture. */
export interface RgbImage {
  /**
   * Packed RGB, uint8, row-major, `width * height * 3` bytes. It spans its whole ArrayBuffer, so
   * that `postMessage(image, [image.data.buffer])` moves it to a worker without a copy.
   */
  readonly data: Uint8Array<ArrayBuffer>;
  /** Pixels, after EXIF orientation. */
  readonly width: number;
  /** Pixels, after EXIF orientation. */
  readonly height: number;
}

/** What a caller may send. */
export interface ImageLimits {
  /** Largest `width * height`, checked against the header before any pixel is decoded. */
  readonly maxPixels: number;
  /** Largest encoded size in bytes. */
  readonly maxBytes: number;
  /** The request field that the bytes came from, for error messages. Default `image`. */
  readonly field?: string;
}

/** Interpretations that have a defined way to 8-bit RGB; Lab, float and multispectral have none. */
const COLOUR_SPACES = new Set(['srgb', 'rgb', 'rgb16', 'b-w', 'grey16', 'cmyk']);

const LOADERS: Readonly<Record<ImageFormat, Metadata['format']>> = {
  JPEG: 'jpeg',
  PNG: 'png',
  WebP: 'webp',
  GIF: 'gif',
  TIFF: 'tiff',
  AVIF: 'heif',
};

const READ: SharpOptions = {
  // A profile changes the numbers that a network sees; OpenCV, which the models' own pipelines
  // read with, ignores it.
  ignoreIcc: true,
  autoOrient: true,
  // 'error' refuses every truncated file and still takes what libjpeg or libtiff only warn about
  // (stray bytes between segments, unusual tags), which cameras do write and OpenCV reads.
  failOn: 'error',
  pages: 1,
};

/**
 * Decodes an encoded picture to the pixels that `cv2.imread(path, cv2.IMREAD_COLOR)` gives, in RGB
 * order: EXIF orientation applied; alpha dropped, not blended; grey and palettes expanded; 16-bit
 * samples scaled to 8 by dropping the low byte; CMYK converted by OpenCV's formula; ICC profiles
 * ignored; of an animation or a multi-page file the first frame. Against OpenCV 5.0: PNG, WebP,
 * GIF, JPEG and 8-bit TIFF agree to the bit, 16-bit and CMYK TIFF within 1, AVIF within 5 (the
 * decoders upsample chroma differently, and OpenCV leaves AVIF unrotated).
 *
 * The decoding runs in sharp's native threads. `bytes` must stay untouched until it settles.
 *
 * @throws {MediaError} 413 for too many bytes; 422 for empty bytes, another format than JPEG, PNG,
 *   WebP, GIF, TIFF or AVIF (SVG and PDF are refused unread), a truncated or corrupt file, samples
 *   that are neither 8 nor 16 bit, or more than `maxPixels`.
 */
export async function decodeImage(bytes: Uint8Array, limits: ImageLimits): Promise<RgbImage> {
  const field = limits.field ?? 'image';
  const format = checkBytes(bytes, limits.maxBytes, field);
  try {
    // The header is read without a limit so that the error can name the size; nothing is decoded.
    const header = await sharp(bytes, { ...READ, limitInputPixels: false }).metadata();
    checkHeader(header, format, limits.maxPixels, field);
    return await decodePixels(bytes, header, limits.maxPixels, field);
  } catch (cause) {
    throw asMediaError(cause, format, field);
  }
}

function checkBytes(bytes: Uint8Array, maxBytes: number, field: string): ImageFormat {
  const size = bytes.byteLength;
  if (size === 0) {
    throw new MediaError(422, `${field} is empty; expected a ${ACCEPTED_FORMATS} file.`, field);
  }
  if (size > maxBytes) {
    throw new MediaError(413, `${field} has ${size} bytes; at most ${maxBytes} are taken.`, field);
  }
  const format = sniffImageFormat(bytes);
  if (format) return format;
  const given = describeBytes(bytes);
  throw new MediaError(422, `${field} is ${given}; expected a ${ACCEPTED_FORMATS} file.`, field);
}

function checkHeader(header: Metadata, format: ImageFormat, maxPixels: number, field: string) {
  const { width, height, space, depth } = header;
  const refuse = (what: string) => {
    throw new MediaError(422, `${field} (${format}) ${what}.`, field);
  };
  // The loader must be the one that the signature promised: a file that is two formats at once
  // could otherwise reach the SVG renderer.
  if (header.format !== LOADERS[format]) refuse(`is also ${header.format}; expected one format`);
  if (format === 'AVIF' && header.compression !== 'av1') {
    refuse(`is coded with ${header.compression}; expected AV1. Send JPEG or PNG`);
  }
  if (!(width > 0 && height > 0)) refuse(`is ${width}x${height}; expected at least 1x1 pixel`);
  if (width * height > maxPixels) {
    refuse(`is ${width}x${height} = ${width * height} pixels; at most ${maxPixels} are decoded`);
  }
  const is16Bit = depth === 'ushort' && space !== 'cmyk';
  if (!COLOUR_SPACES.has(space) || !(depth === 'uchar' || is16Bit)) {
    refuse(`has ${depth} samples in ${space}; expected 8- or 16-bit grey or RGB, or 8-bit CMYK`);
  }
}

async function decodePixels(
  bytes: Uint8Array,
  header: Metadata,
  maxPixels: number,
  field: string,
): Promise<RgbImage> {
  const input = sharp(bytes, { ...READ, limitInputPixels: maxPixels }).removeAlpha();
  const isCmyk = header.space === 'cmyk';
  // Without pipelineColourspace sharp converts CMYK through a profile of its own first.
  const pixels = isCmyk
    ? input.pipelineColourspace('cmyk').toColourspace('cmyk')
    : input.toColourspace('srgb');
  // toUint8Array would spare the copy below, but in Bun 1.4 what it returns is never freed; and
  // what toBuffer returns can't be transferred.
  const { data, info } = await pixels.raw().toBuffer({ resolveWithObject: true });
  const channels = isCmyk ? 4 : 3;
  if (info.channels !== channels) {
    const found = `${info.channels} colour channels; expected ${channels}`;
    throw new MediaError(422, `${field} has ${found}.`, field);
  }
  const { width, height } = info;
  return { data: isCmyk ? cmykToRgb(data) : new Uint8Array(data), width, height };
}

/**
 * 8-bit CMYK (0 is no ink) to RGB as OpenCV does for JPEG (`icvCvt_CMYK2BGR_8u_C4C3R` in
 * modules/imgcodecs/src/utils.cpp): `v - (ink * v >> 8)` with `v = 255 - K`.
 */
function cmykToRgb(cmyk: Uint8Array): Uint8Array<ArrayBuffer> {
  const rgb = new Uint8Array((cmyk.length / 4) * 3);
  for (let from = 0, to = 0; from < cmyk.length; from += 4, to += 3) {
    const value = 255 - cmyk[from + 3];
    rgb[to] = value - ((cmyk[from] * value) >> 8);
    rgb[to + 1] = value - ((cmyk[from + 1] * value) >> 8);
    rgb[to + 2] = value - ((cmyk[from + 2] * value) >> 8);
  }
  return rgb;
}

function asMediaError(cause: unknown, format: ImageFormat, field: string): unknown {
  if (cause instanceof MediaError || !(cause instanceof Error)) return cause;
  // Running out of memory says nothing about the file.
  if (/out of memory|unable to allocate/i.test(cause.message)) return cause;
  const reason = cause.message
    .replace(/^Input buffer /, '')
    .split('\n', 1)[0]
    .replace(/[\s.:]+$/, '')
    .slice(0, 120);
  const message = `${field} (${format}) is truncated or corrupt: ${reason}. Send a whole file.`;
  return new MediaError(422, message, field);
}
