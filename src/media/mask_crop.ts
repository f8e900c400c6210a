import { boxOf, type PixelBox } from './rle.ts';

/** The part of a mask that has pixels inside, with one pixel outside around it. */
export interface MaskCrop {
  /** Where the inside lies in the picture. */
  readonly box: PixelBox;
  /** 1 inside, 0 outside: [box.height + 2, stride], row by row; [1, 1] is the box's corner. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** box.width + 2. */
  readonly stride: number;
}

/**
 * A mask's crop, so that small objects of a large picture cost little, and neighbours can be read
 * without asking where the picture ends.
 *
 * @param counts COCO runs, column by column, the first one outside (see rle.ts).
 * @param height Of the picture, in pixels.
 */
export function cropMask(counts: ArrayLike<number>, height: number): MaskCrop {
  const box = boxOf(counts, height);
  const stride = box.width + 2;
  const data = new Uint8Array(stride * (box.height + 2));
  let start = 0;
  for (let i = 0; i < counts.length; i++) {
    const end = start + counts[i];
    for (let index = start; i % 2 === 1 && index < end; ) {
      const x = Math.floor(index / height);
      const y = index - x * height;
      const rows = Math.min(height - y, end - index);
      let to = (y - box.y + 1) * stride + (x - box.x + 1);
      for (let row = 0; row < rows; row++, to += stride) data[to] = 1;
      index += rows;
    }
    start = end;
  }
  return { box, data, stride };
}

/** @throws {RangeError} When the runs don't add up to `width * height`. */
export function requireCounts(
  counts: ArrayLike<number>,
  { width, height }: { readonly width: number; readonly height: number },
): void {
  let pixels = 0;
  for (let i = 0; i < counts.length; i++) pixels += counts[i];
  if (pixels === width * height) return;
  throw new RangeError(`runs of ${pixels} pixels do not fill a mask of ${width}x${height}`);
}
