import { signedWords } from '../mask-rle-bits/signed_words.ts';

/** The uniforms of kernel.ts, and of mask-rle-write. */
export interface PackedMasks {
  readonly width: number;
  readonly height: number;
  readonly masks: number;
}

/** Parts that a mask's columns are divided into; each is written without waiting for the others. */
export const LANES = 256;
/** Values a mask in `totals`. */
export const TOTALS = 6;

/** First column of a lane; that of lane `LANES` is the width. */
export function laneBegin(lane: number, width: number): number {
  return Math.floor((lane * width) / LANES);
}

/** CPU twin of mask-rle-count.wgsl. */
export function maskRleCountCpu(
  bits: Uint32Array,
  offsets: Uint32Array,
  totals: Uint32Array,
  { width, height, masks }: PackedMasks,
): void {
  const size = width * Math.ceil(height / 32);
  for (let mask = 0; mask < masks; mask++) {
    const packed = signedWords(bits).subarray(mask * size, (mask + 1) * size);
    const lanes = offsets.subarray(mask * LANES, (mask + 1) * LANES);
    totals.set(countMask(packed, lanes, width, height), mask * TOTALS);
  }
}

/** One mask's offsets; its totals, in their order. */
function countMask(
  bits: Int32Array,
  offsets: Uint32Array,
  width: number,
  height: number,
): readonly number[] {
  const words = Math.ceil(height / 32);
  /** Bits of a column's last word that lie past its last row. */
  const spare = words * 32 - height;
  let changes = 0;
  let area = 0;
  let left = width;
  let right = 0;
  let top = height;
  let bottom = 0;
  let before = 0;
  for (let lane = 0; lane < LANES; lane++) {
    offsets[lane] = changes;
    const end = laneBegin(lane + 1, width);
    for (let x = laneBegin(lane, width); x < end; x++) {
      for (let i = 0; i < words; i++) {
        const word = bits[x * words + i];
        // Outside, as the pixel before: the usual case.
        if (word === 0 && before === 0) continue;
        const shift = i === words - 1 ? spare : 0;
        changes += countOneBits((word ^ ((word << 1) | before)) << shift);
        before = (word >>> (31 - shift)) & 1;
        if (word === 0) continue;
        area += countOneBits(word);
        left = Math.min(left, x);
        right = x + 1;
        top = Math.min(top, i * 32 + 31 - Math.clz32(word & -word));
        bottom = Math.max(bottom, i * 32 + 32 - Math.clz32(word));
      }
    }
  }
  return area === 0 ? [0, 0, 0, 0, 0, 0] : [changes, area, left, top, right, bottom];
}

/** Warren, Hacker's Delight, 5-1. */
function countOneBits(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
