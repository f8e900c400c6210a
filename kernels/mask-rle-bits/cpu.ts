import { CellColumn, INSIDE, OUTSIDE } from './cell_column.ts';
import { signedWords } from './signed_words.ts';

/** The uniforms of kernel.ts. */
export interface MaskRleBitsParams {
  readonly src_width: number;
  readonly src_height: number;
  readonly dst_width: number;
  readonly dst_height: number;
  readonly masks: number;
  readonly threshold: number;
}

/**
 * CPU twin of mask-rle-bits.wgsl. Between four logits on one side of the threshold every pixel is
 * on that side, so only the cells along an edge are interpolated.
 */
export function maskRleBitsCpu(
  logits: Float32Array,
  selected: Uint32Array,
  across: Float32Array,
  down: Float32Array,
  bits: Uint32Array,
  params: MaskRleBitsParams,
): void {
  const { src_width, src_height, dst_width, dst_height, masks } = params;
  const threshold = Math.fround(params.threshold);
  const size = src_width * src_height;
  const words = Math.ceil(dst_height / 32);
  const column = new CellColumn(src_width, src_height, down.subarray(0, dst_height), threshold);
  const packed = signedWords(bits).fill(0);
  for (let mask = 0; mask < masks; mask++) {
    const first = selected[mask] * size;
    column.load(logits.subarray(first, first + size));
    for (let x = 0; x < dst_width; x++) {
      const left = Math.min(Math.trunc(across[x]), src_width - 1);
      column.moveTo(left);
      paintColumn(column, Math.fround(across[x] - left), packed, (mask * dst_width + x) * words);
    }
  }
}

/** Sets the bits of one output column, which lies `fraction` of a cell right of the cells' left. */
function paintColumn(
  column: CellColumn,
  fraction: number,
  bits: Int32Array,
  firstWord: number,
): void {
  const { segments, begins, kinds, tops, left, right, threshold, fractions } = column;
  const lastRow = column.height - 1;
  const rest = Math.fround(1 - fraction);
  for (let i = 0; i < segments; i++) {
    if (kinds[i] === OUTSIDE) continue;
    const begin = begins[i];
    const end = begins[i + 1];
    if (kinds[i] === INSIDE) {
      setBits(bits, firstWord, begin, end);
      continue;
    }
    const top = tops[i];
    const bottom = Math.min(top + 1, lastRow);
    const upper = Math.fround(left[top] * rest + right[top] * fraction);
    const lower = Math.fround(left[bottom] * rest + right[bottom] * fraction);
    const isUpperAbove = upper > threshold;
    const isLowerAbove = lower > threshold;
    if (isUpperAbove === isLowerAbove) {
      if (isUpperAbove) setBits(bits, firstWord, begin, end);
      continue;
    }
    // From the upper end to the lower the value runs one way: the rows above lie together.
    const rows = countAbove(upper, lower, threshold, fractions, begin, end);
    if (isUpperAbove) setBits(bits, firstWord, begin, begin + rows);
    else setBits(bits, firstWord, end - rows, end);
  }
}

/** How many of the rows between two values are above the threshold; without a branch. */
function countAbove(
  upper: number,
  lower: number,
  threshold: number,
  fractions: Float32Array,
  begin: number,
  end: number,
): number {
  let rows = 0;
  for (let y = begin; y < end; y++) {
    const below = fractions[y];
    rows += Number(upper * Math.fround(1 - below) + lower * below > threshold);
  }
  return rows;
}

/** Sets bits `from` to `to` − 1, counted from a word's lowest. */
function setBits(bits: Int32Array, firstWord: number, from: number, to: number): void {
  if (from >= to) return;
  const start = firstWord + (from >>> 5);
  const end = firstWord + ((to - 1) >>> 5);
  const head = -1 << (from & 31);
  const tail = -1 >>> (31 - ((to - 1) & 31));
  if (start === end) {
    bits[start] |= head & tail;
    return;
  }
  bits[start] |= head;
  for (let word = start + 1; word < end; word++) bits[word] = -1;
  bits[end] |= tail;
}
