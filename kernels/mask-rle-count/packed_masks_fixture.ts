/** Masks for the tests of mask-rle-count and mask-rle-write, and what holds for them. */
import { seeded } from '../../test/numbers.ts';

/** Masks [masks, height, width], row by row, 0 or 1. */
export interface Masks {
  readonly masks: number;
  readonly height: number;
  readonly width: number;
  readonly pixels: Uint8Array;
}

interface Size {
  readonly masks: number;
  readonly height: number;
  readonly width: number;
}

/** Random masks; of several the first is empty, the second full, the third one pixel. */
export function randomMasks({ masks, height, width }: Size, density = 0.5): Masks {
  const random = seeded(height * 7919 + width);
  const size = height * width;
  const pixels = Uint8Array.from({ length: masks * size }, () => (random() < density ? 1 : 0));
  if (masks > 2) {
    pixels.fill(0, 0, size);
    pixels.fill(1, size, 2 * size);
    pixels.fill(0, 2 * size, 3 * size);
    pixels[3 * size - 1] = 1;
  }
  return { masks, height, width, pixels };
}

/** As mask-rle-bits packs them. */
export function pack({ masks, height, width, pixels }: Masks): Uint32Array {
  const words = Math.ceil(height / 32);
  const bits = new Uint32Array(masks * width * words);
  pixels.forEach((pixel, i) => {
    const y = Math.floor(i / width) % height;
    const column = Math.floor(i / (width * height)) * width + (i % width);
    if (pixel !== 0) bits[column * words + (y >> 5)] |= 1 << (y & 31);
  });
  return bits;
}

/** Column-major indices of the pixels of one mask that differ from the one before. */
export function changesOf({ height, width, pixels }: Masks, mask: number): number[] {
  const changes: number[] = [];
  let before = 0;
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      const pixel = pixels[(mask * height + y) * width + x];
      if (pixel !== before) changes.push(x * height + y);
      before = pixel;
    }
  }
  return changes;
}

/** Around the edges of words and of lanes. */
export const SIZES: readonly Size[] = [
  { masks: 5, height: 45, width: 300 },
  { masks: 4, height: 64, width: 256 },
  { masks: 4, height: 33, width: 255 },
  { masks: 4, height: 31, width: 257 },
  { masks: 4, height: 1, width: 700 },
  { masks: 4, height: 700, width: 1 },
  { masks: 4, height: 1, width: 1 },
];
