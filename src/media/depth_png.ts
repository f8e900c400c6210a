import sharp, { type Metadata } from 'sharp';
import { MediaError } from './errors.ts';
import { describeBytes, sniffImageFormat } from './image_format.ts';

/** A depth picture, still in the units that it was written in. */
export interface DepthPicture {
  /** Uint16, row-major, `width * height`; 0 is "no depth". It spans its whole ArrayBuffer. */
  readonly data: Uint16Array<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
}

/** What a caller may send. */
export interface DepthPngLimits {
  /** Largest `width * height`, checked against the header before any pixel is decoded. */
  readonly maxPixels: number;
  /** Largest encoded size in bytes. */
  readonly maxBytes: number;
  /** The request field that the bytes came from, for error messages. Default `depth`. */
  readonly field?: string;
}

const EXPECTED = 'expected a 16-bit grey PNG';

/**
 * Decodes a 16-bit grey PNG to the numbers that `cv2.imread(path, cv2.IMREAD_UNCHANGED)` gives:
 * colour profiles, gamma and orientation change nothing.
 *
 * The decoding runs in sharp's native threads. `bytes` must stay untouched until it settles.
 *
 * @throws {MediaError} 413 for too many bytes; 422 for what isn't a PNG, 8-bit samples (their 256
 *   steps are no depth: most are pictures of a depth), colours, a truncated or corrupt file, or
 *   more than `maxPixels`.
 */
export async function decodeDepthPng(
  bytes: Uint8Array,
  limits: DepthPngLimits,
): Promise<DepthPicture> {
  const { maxPixels, field = 'depth' } = limits;
  checkBytes(bytes, limits.maxBytes, field);
  try {
    // The header is read without a limit so that the error can name the size; nothing is decoded.
    const options = { ignoreIcc: true, failOn: 'error' as const };
    const header = await sharp(bytes, { ...options, limitInputPixels: false }).metadata();
    checkHeader(header, maxPixels, field);
    const { data, info } = await sharp(bytes, { ...options, limitInputPixels: maxPixels })
      .removeAlpha()
      .toColourspace('grey16')
      .raw({ depth: 'ushort' })
      .toBuffer({ resolveWithObject: true });
    const copy = Uint8Array.from(data);
    return { data: new Uint16Array(copy.buffer), width: info.width, height: info.height };
  } catch (cause) {
    if (cause instanceof MediaError || !(cause instanceof Error)) throw cause;
    // Running out of memory says nothing about the file.
    if (/out of memory|unable to allocate/i.test(cause.message)) throw cause;
    const reason = cause.message
      .replace(/^Input buffer /, '')
      .split('\n', 1)[0]
      .slice(0, 120);
    const message = `${field} (PNG) is truncated or corrupt: ${reason}. Send a whole file.`;
    throw new MediaError(422, message, field);
  }
}

function checkBytes(bytes: Uint8Array, maxBytes: number, field: string): void {
  const size = bytes.byteLength;
  if (size === 0) throw new MediaError(422, `${field} is empty; ${EXPECTED}.`, field);
  if (size > maxBytes) {
    throw new MediaError(413, `${field} has ${size} bytes; at most ${maxBytes} are taken.`, field);
  }
  const format = sniffImageFormat(bytes);
  if (format === 'PNG') return;
  const given = format ? `a ${format} picture` : describeBytes(bytes);
  throw new MediaError(422, `${field} is ${given}; ${EXPECTED}.`, field);
}

function checkHeader(header: Metadata, maxPixels: number, field: string): void {
  const { width, height, depth, space, bitsPerSample, hasAlpha, channels } = header;
  const refuse = (what: string) => {
    throw new MediaError(422, `${field} is ${what}.`, field);
  };
  if (width * height > maxPixels) {
    refuse(`${width}x${height} = ${width * height} pixels; at most ${maxPixels} are decoded`);
  }
  if (depth !== 'ushort') {
    const given = `a PNG with ${bitsPerSample ?? 8}-bit samples`;
    const advice = 'A depth map saved as an ordinary picture has lost its depths';
    refuse(`${given}; ${EXPECTED} with millimetres, or depth_scale. ${advice}`);
  }
  const colours = channels - (hasAlpha ? 1 : 0);
  if (space !== 'grey16' || colours !== 1) refuse(`a PNG with ${colours} colours; ${EXPECTED}`);
}
