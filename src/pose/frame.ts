import { decodeDepthPng } from '../media/depth_png.ts';
import { MediaError } from '../media/errors.ts';
import type { RgbImage } from '../media/image.ts';
import { decodeMask, resizeMask } from '../media/mask_image.ts';
import { decodeRle } from '../media/rle.ts';
import type { Intrinsics } from './crops.ts';
import { fileBytes, type SentFile } from './files.ts';
import type { RgbdFrame } from './method.ts';

export interface FrameLimits {
  /** Of each file, encoded. */
  readonly maxBytes: number;
  readonly maxPixels: number;
}

/** A depth picture as it was sent. */
export interface SentDepth {
  readonly file: SentFile;
  /** Metres per unit of the picture. */
  readonly scale: number;
  /** How the request calls it, and the colour picture beside it. */
  readonly field: string;
  readonly imageField: string;
}

/**
 * Joins a colour picture and its depth.
 *
 * @throws {MediaError} 422 for a depth that is no 16-bit grey PNG, or has another size.
 */
export async function readFrame(
  image: RgbImage,
  depth: SentDepth,
  intrinsics: Intrinsics,
  limits: FrameLimits,
): Promise<RgbdFrame> {
  const { field, imageField, scale } = depth;
  const bytes = await fileBytes(depth.file, { ...limits, field });
  const picture = await decodeDepthPng(bytes, { ...limits, field });
  const { width, height } = image;
  if (picture.width !== width || picture.height !== height) {
    const given = `${field} is ${picture.width}x${picture.height}, ${imageField} ${width}x${height}`;
    const advice = 'register the depth to the colour camera, at its size';
    throw new MediaError(422, `${given}; expected one size: ${advice}.`, field);
  }
  const { data } = picture;
  const metres = new Float32Array(data.length);
  // Not `from`: a frame may have millions of pixels, and this is the main thread.
  for (let pixel = 0; pixel < data.length; pixel++) metres[pixel] = data[pixel] * scale;
  return { width, height, rgb: image.data, depth: metres, intrinsics };
}

/** COCO's run lengths, as segmentation answers them with mask_format "rle_object". */
export interface SentRle {
  /** [height, width] */
  readonly size: readonly number[];
  readonly counts: string;
}

/**
 * A mask at the size of the frame.
 *
 * @returns uint8 [height, width]; non-zero for the object
 * @throws {MediaError} 422 naming the field
 */
export async function readMask(
  sent: SentFile | SentRle,
  field: string,
  { width, height }: { readonly width: number; readonly height: number },
  limits: FrameLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  if (typeof sent !== 'string' && !(sent instanceof Blob)) {
    const [rows, columns] = checkRle(sent, field, limits);
    const data = decodeRle(sent.counts, rows, columns, `${field}.counts`);
    return resizeMask({ data, width: columns, height: rows }, width, height).data;
  }
  const bytes = await fileBytes(sent, { ...limits, field });
  return resizeMask(await decodeMask(bytes, { ...limits, field }), width, height).data;
}

function checkRle({ size }: SentRle, field: string, { maxPixels }: FrameLimits): readonly number[] {
  const isSize = size.length === 2 && size.every((side) => Number.isInteger(side) && side > 0);
  if (isSize && size[0] * size[1] <= maxPixels) return size;
  const given = `${field}.size is [${size.slice(0, 4).join(', ')}]`;
  throw new MediaError(
    422,
    `${given}; expected [height, width], at most ${maxPixels} pixels.`,
    field,
  );
}
