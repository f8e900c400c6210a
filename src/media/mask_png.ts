import sharp from 'sharp';
import { requireCounts } from './mask_crop.ts';
import { maskFromCounts } from './rle_pixels.ts';

/**
 * A mask as an 8-bit grey PNG of one channel: 255 inside, 0 outside, as `cv2.imwrite` would store it
 * and every reader takes it. Not one bit a pixel: sharp makes that only through its quantiser, at
 * twenty times the time.
 *
 * @param counts COCO runs, column by column, the first one outside (see rle.ts).
 * @throws {RangeError} When the runs don't add up to `width * height`.
 */
export async function encodeMaskPng(
  counts: ArrayLike<number>,
  { width, height }: { readonly width: number; readonly height: number },
): Promise<Uint8Array<ArrayBuffer>> {
  requireCounts(counts, { width, height });
  const grey = maskFromCounts(counts, height, width);
  // 1 → 255 and 0 → 0.
  for (let i = 0; i < grey.length; i++) grey[i] = -grey[i];
  const png = await sharp(grey, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .png({ compressionLevel: 6 })
    .toBuffer();
  return new Uint8Array(png);
}
