/**
 * COCO's run-length masks, as pycocotools (common/maskApi.c) writes and reads them. Nothing here or in
 * what it imports belongs to the server alone, so that the client has them as well.
 *
 * **Counts** are the lengths of alternating runs of pixels outside and inside the mask, column by
 * column from the left, each from top to bottom; the first run is outside and may be 0 long. Their
 * sum is height·width. **The string** has for each count its difference to the count two before (for
 * the first three the count itself), in groups of 5 bits from the lowest, each a character from '0'
 * (48) on, 32 added where another group follows; the last group's top bit is the sign.
 */
import { MediaError } from './errors.ts';
import { checkSize, countsFromMask, MAX_PIXELS, maskFromCounts } from './rle_pixels.ts';

/** A tight box in pixels; all 0 for an empty mask. */
export interface PixelBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const FIRST_CHARACTER = 48;
const LAST_CHARACTER = 111;
/** A signed difference of two uint32 has 33 bits: 7 groups of 5. */
const MAX_GROUPS = 7;

/**
 * The string of a mask.
 *
 * @param mask [height, width], row by row; 0 is outside, anything else inside.
 * @throws {RangeError} When mask and size disagree.
 */
export function encodeRle(mask: Uint8Array, height: number, width: number): string {
  return countsToString(countsFromMask(mask, height, width));
}

/**
 * The mask of a string: [height, width], row by row, 1 inside, 0 outside.
 *
 * @param field What the caller calls the string, for messages.
 * @throws {MediaError} 422 when the string is malformed or describes another number of pixels.
 * @throws {RangeError} When height or width is not a whole number from 1 on.
 */
export function decodeRle(
  text: string,
  height: number,
  width: number,
  field = 'counts',
): Uint8Array<ArrayBuffer> {
  checkSize(height, width);
  const counts = countsFromString(text, field);
  const pixels = counts.reduce((sum, count) => sum + count, 0);
  if (pixels !== height * width) {
    const expected = `expected ${height * width} for height ${height} and width ${width}`;
    throw new MediaError(422, `${field} describes ${pixels} pixels; ${expected}.`, field);
  }
  return maskFromCounts(counts, height, width);
}

/** The string of counts, which are whole numbers below 2³². */
export function countsToString(counts: ArrayLike<number>): string {
  const characters = new Uint8Array(counts.length * MAX_GROUPS);
  let length = 0;
  for (let i = 0; i < counts.length; i++) {
    // Not `i > 1`: pycocotools writes the third count as it is.
    let rest = i > 2 ? counts[i] - counts[i - 2] : counts[i];
    for (let more = true; more; ) {
      const group = rest & 31;
      // An arithmetic shift, exact beyond 32 bits as well.
      rest = (rest - group) / 32;
      more = rest !== ((group & 16) === 0 ? 0 : -1);
      characters[length++] = FIRST_CHARACTER + group + (more ? 32 : 0);
    }
  }
  return new TextDecoder().decode(characters.subarray(0, length));
}

/**
 * The counts of a string.
 *
 * @throws {MediaError} 422 for a character outside '0' to 'o', a string that ends within a count,
 *   or a count that isn't from 0 to 2³² − 1.
 */
export function countsFromString(text: string, field = 'counts'): Uint32Array<ArrayBuffer> {
  const counts = new Uint32Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; ) {
    const start = at;
    let value = 0;
    let scale = 1;
    let group: number;
    do {
      group = text.charCodeAt(at) - FIRST_CHARACTER;
      // Also when the string has ended: NaN.
      if (!(group >= 0 && group < 64) || at - start === MAX_GROUPS) {
        throw malformed(text, start, at, field);
      }
      value += (group & 31) * scale;
      scale *= 32;
      at++;
    } while (group >= 32);
    if ((group & 16) !== 0) value -= scale;
    if (length > 2) value += counts[length - 2];
    if (value < 0 || value > MAX_PIXELS) {
      const found = `${field} has count ${length} = ${value}, at position ${start}`;
      throw new MediaError(422, `${found}; expected 0 to ${MAX_PIXELS}.`, field);
    }
    counts[length++] = value;
  }
  return counts.slice(0, length);
}

function malformed(text: string, start: number, at: number, field: string): MediaError {
  const expected = 'expected the string that pycocotools writes as counts';
  let found = `has a number longer than ${MAX_GROUPS} characters at position ${start}`;
  if (at === text.length) found = `ends within the number at position ${start}`;
  else if (at - start < MAX_GROUPS) {
    const character = JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0));
    const range = [FIRST_CHARACTER, LAST_CHARACTER].map((code) => String.fromCharCode(code));
    found = `has ${character} at position ${at}, which is not one of ${range.join(' to ')}`;
  }
  return new MediaError(422, `${field} ${found}; ${expected}.`, field);
}

/** The number of pixels inside. */
export function areaOf(counts: ArrayLike<number>): number {
  let area = 0;
  for (let i = 1; i < counts.length; i += 2) area += counts[i];
  return area;
}

/** The tight box around the pixels inside. */
export function boxOf(counts: ArrayLike<number>, height: number): PixelBox {
  let left = Number.POSITIVE_INFINITY;
  let top = height;
  let right = -1;
  let bottom = -1;
  let start = 0;
  for (let i = 0; i < counts.length; i++) {
    const end = start + counts[i];
    if (i % 2 === 1 && end > start) {
      const first = Math.floor(start / height);
      const last = Math.floor((end - 1) / height);
      left = Math.min(left, first);
      right = last;
      // A run over a column's end has its last and the next one's first pixel.
      top = first === last ? Math.min(top, start % height) : 0;
      bottom = first === last ? Math.max(bottom, (end - 1) % height) : height - 1;
    }
    start = end;
  }
  if (right < 0) return { x: 0, y: 0, width: 0, height: 0 };
  return { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

/** A box in pixels of an image → [centre x, centre y, width, height] in [0, 1]. */
export function normalizeBox(
  { x, y, width, height }: PixelBox,
  image: { readonly width: number; readonly height: number },
): [cx: number, cy: number, w: number, h: number] {
  return [
    (x + width / 2) / image.width,
    (y + height / 2) / image.height,
    width / image.width,
    height / image.height,
  ];
}
