import { encodeBase64 } from '../media/base64.ts';
import { giveWay } from '../media/give_way.ts';
import { encodeMaskPng } from '../media/mask_png.ts';
import { maskPolygons } from '../media/outline.ts';
import { countsToString, type PixelBox } from '../media/rle.ts';
import type { MaskFormat, MaskValue } from './prompt_schema.ts';
import type { Size } from './types.ts';

/** A mask of COCO counts in JSON. */
export async function writeMask(
  counts: Uint32Array,
  size: Size,
  format: MaskFormat,
): Promise<MaskValue> {
  await giveWay();
  if (format === 'png') return encodeBase64(await encodeMaskPng(counts, size));
  if (format === 'polygons') return maskPolygons(counts, size);
  const text = countsToString(counts);
  return format === 'rle' ? text : { size: [size.height, size.width], counts: text };
}

/** [cx, cy, w, h] as fractions of the image. */
export function centreBox({ x, y, width, height }: PixelBox, size: Size): number[] {
  return [
    (x + width / 2) / size.width,
    (y + height / 2) / size.height,
    width / size.width,
    height / size.height,
  ];
}
