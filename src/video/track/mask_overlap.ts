/** Masks of one size as bits, for comparing many with many. */
export interface BitMask {
  /** 32 pixels a word; bits past the last pixel are 0. */
  readonly words: Uint32Array;
  /** Pixels inside. */
  readonly area: number;
}

/**
 * A mask from COCO's counts: lengths of alternating runs outside and inside, the first one outside.
 * Pixels keep the order of the counts.
 */
export function bitsFromCounts(counts: ArrayLike<number>): BitMask {
  let pixels = 0;
  for (let i = 0; i < counts.length; i++) pixels += counts[i];
  const words = new Uint32Array(Math.ceil(pixels / 32));
  let area = 0;
  for (let i = 0, start = 0; i < counts.length; start += counts[i++]) {
    if (i % 2 === 0) continue;
    area += counts[i];
    fillBits(words, start, start + counts[i]);
  }
  return { words, area };
}

function fillBits(words: Uint32Array, start: number, end: number): void {
  if (start === end) return;
  const [first, last] = [start >>> 5, (end - 1) >>> 5];
  const head = 0xffff_ffff << (start & 31);
  const tail = 0xffff_ffff >>> (31 - ((end - 1) & 31));
  if (first === last) {
    words[first] |= head & tail;
    return;
  }
  words[first] |= head;
  words.fill(0xffff_ffff, first + 1, last);
  words[last] |= tail;
}

/** A mask from logits or zeros and ones: inside where above `threshold`. */
export function bitsAbove(values: ArrayLike<number>, threshold = 0): BitMask {
  const words = new Uint32Array(Math.ceil(values.length / 32));
  let area = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i] > threshold) {
      words[i >>> 5] |= 1 << (i & 31);
      area++;
    }
  }
  return { words, area };
}

/**
 * Intersection over union; 0 for two empty masks, which overlap nowhere.
 *
 * @throws {RangeError} for masks of different sizes.
 */
export function maskIou(a: BitMask, b: BitMask): number {
  if (a.words.length !== b.words.length) {
    throw new RangeError(
      `masks of ${a.words.length} and ${b.words.length} words; expected masks of one size`,
    );
  }
  let both = 0;
  for (let i = 0; i < a.words.length; i++) both += bitCount(a.words[i] & b.words[i]);
  const either = a.area + b.area - both;
  return either === 0 ? 0 : both / either;
}

/** Ones in 32 bits, by halves (H. S. Warren, Hacker's Delight, 5-1). */
function bitCount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x5555_5555);
  const fours = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
