/** Between a mask's pixels and its COCO counts, which rle.ts describes. */

/** Pixels of a mask, and so its longest run, at most: pycocotools counts in uint32. */
export const MAX_PIXELS = 0xffff_ffff;

/**
 * The counts of a mask [height, width], row by row; 0 is outside, anything else inside.
 *
 * @throws {RangeError} When mask and size disagree.
 */
export function countsFromMask(
  mask: Uint8Array,
  height: number,
  width: number,
): Uint32Array<ArrayBuffer> {
  checkMask(mask, height, width);
  const changes = new Changes();
  // Where a column begins, the pixel before is the last of the column before.
  const lastRow = (height - 1) * width;
  for (let x = 0; x < width; x++) {
    const before = x > 0 && mask[lastRow + x - 1] !== 0;
    if ((mask[x] !== 0) !== before) changes.add(x * height);
  }
  addChangesWithinColumns(changes, mask, height, width);
  return countsFromChanges(changes.sorted(), height * width);
}

/** Compares each row with the one above, four pixels at a time: most are equal. */
function addChangesWithinColumns(
  changes: Changes,
  mask: Uint8Array,
  height: number,
  width: number,
): void {
  const { words, stride } = asWords(mask, height, width);
  const end = height * stride;
  for (let i = stride; i < end; i++) {
    const above = words[i - stride];
    if (words[i] === above) continue;
    const y = Math.floor(i / stride);
    const x = (i - y * stride) * 4;
    for (let byte = 0; byte < 4; byte++) {
      const shift = byte * 8;
      const isInside = ((words[i] >>> shift) & 255) !== 0;
      if (isInside !== (((above >>> shift) & 255) !== 0)) changes.add((x + byte) * height + y);
    }
  }
}

/** Rows as little-endian words of four pixels, the last one filled up with 0; a view where it can be. */
function asWords(
  mask: Uint8Array,
  height: number,
  width: number,
): { words: Uint32Array; stride: number } {
  const stride = Math.ceil(width / 4);
  if (width % 4 === 0 && mask.byteOffset % 4 === 0) {
    return { words: new Uint32Array(mask.buffer, mask.byteOffset, height * stride), stride };
  }
  const padded = new Uint8Array(height * stride * 4);
  for (let y = 0; y < height; y++) {
    padded.set(mask.subarray(y * width, (y + 1) * width), y * stride * 4);
  }
  return { words: new Uint32Array(padded.buffer), stride };
}

/** A growing list of pixel indices. */
class Changes {
  private values = new Uint32Array(1024);
  private length = 0;

  add(index: number): void {
    if (this.length === this.values.length) {
      const longer = new Uint32Array(this.length * 2);
      longer.set(this.values);
      this.values = longer;
    }
    this.values[this.length++] = index;
  }

  sorted(): Uint32Array {
    return this.values.subarray(0, this.length).sort();
  }
}

/**
 * The counts of a mask of `pixels` pixels, from the rising column-major indices of those that differ
 * from the one before (before the first lies an outside one).
 */
export function countsFromChanges(changes: Uint32Array, pixels: number): Uint32Array<ArrayBuffer> {
  const counts = new Uint32Array(changes.length + 1);
  let before = 0;
  for (let i = 0; i < changes.length; i++) {
    counts[i] = changes[i] - before;
    before = changes[i];
  }
  counts[changes.length] = pixels - before;
  return counts;
}

/**
 * The mask of counts: [height, width], row by row, 1 inside, 0 outside.
 *
 * @param counts Adding up to height·width.
 */
export function maskFromCounts(
  counts: ArrayLike<number>,
  height: number,
  width: number,
): Uint8Array<ArrayBuffer> {
  const mask = new Uint8Array(height * width);
  let start = 0;
  for (let i = 0; i < counts.length; i++) {
    const end = start + counts[i];
    if (i % 2 === 1) paintRun(mask, start, end, height, width);
    start = end;
  }
  return mask;
}

function paintRun(
  mask: Uint8Array,
  start: number,
  end: number,
  height: number,
  width: number,
): void {
  for (let index = start; index < end; ) {
    const x = Math.floor(index / height);
    const y = index - x * height;
    const rows = Math.min(height - y, end - index);
    for (let row = 0, out = y * width + x; row < rows; row++, out += width) mask[out] = 1;
    index += rows;
  }
}

/** @throws {RangeError} When height or width is not a whole number from 1 on, or too large. */
export function checkSize(height: number, width: number): void {
  const isSize = (value: number) => Number.isInteger(value) && value > 0;
  if (!isSize(height) || !isSize(width) || height * width > MAX_PIXELS) {
    const expected = `expected whole numbers from 1 on, with a product up to ${MAX_PIXELS}`;
    throw new RangeError(`a mask of height ${height} and width ${width}; ${expected}`);
  }
}

function checkMask(mask: Uint8Array, height: number, width: number): void {
  checkSize(height, width);
  if (mask.length !== height * width) {
    const expected = `expected ${height * width} for height ${height} and width ${width}`;
    throw new RangeError(`a mask of ${mask.length} pixels; ${expected}`);
  }
}
