/** How the pixels of a segment relate to the threshold. */
export const OUTSIDE = 0;
export const INSIDE = 1;
const MIXED = 2;

/**
 * The cells between two neighbouring columns of logits, from top to bottom, as segments of output
 * rows: runs of cells whose corners are all on one side of the threshold, and single mixed cells.
 * They are the same for all output columns between these two, so they are found once for all.
 */
export class CellColumn {
  /** Number of segments; the arrays below hold as many, `begins` one more. */
  segments = 0;
  /** First output row of each segment; the last entry is the number of rows. */
  readonly begins: Int32Array;
  /** OUTSIDE, INSIDE or MIXED. */
  readonly kinds: Uint8Array;
  /** Of a mixed cell: its upper row of logits. */
  readonly tops: Int32Array;
  /** The two columns of logits, top to bottom. */
  left: Float32Array;
  right: Float32Array;
  /** Per output row, how far it lies below its upper row of logits. */
  readonly fractions: Float32Array;

  /** Output rows that share an upper row of logits make a band: that row, and the first of them. */
  private readonly bandTops: Int32Array;
  private readonly bandBegins: Int32Array;
  /** The map, column by column, and where it is above the threshold. */
  private readonly columns: Float32Array;
  private readonly above: Uint8Array;
  private current = -1;

  /** @param down position of each output row in rows of logits, rising */
  constructor(
    private readonly width: number,
    readonly height: number,
    down: Float32Array,
    readonly threshold: number,
  ) {
    const tops: number[] = [];
    const begins: number[] = [];
    this.fractions = new Float32Array(down.length);
    down.forEach((position, y) => {
      const top = Math.min(Math.trunc(position), height - 1);
      this.fractions[y] = position - top;
      if (tops.at(-1) === top) return;
      tops.push(top);
      begins.push(y);
    });
    this.bandTops = Int32Array.from(tops);
    this.bandBegins = Int32Array.from(begins);
    this.begins = new Int32Array(tops.length + 1);
    this.kinds = new Uint8Array(tops.length);
    this.tops = new Int32Array(tops.length);
    this.columns = new Float32Array(width * height);
    this.above = new Uint8Array(width * height);
    this.left = this.columns;
    this.right = this.columns;
  }

  /** Takes a map [height, width], row by row. */
  load(map: Float32Array): void {
    const { width, height, columns, above, threshold } = this;
    for (let x = 0, out = 0; x < width; x++) {
      for (let y = 0, i = x; y < height; y++, i += width, out++) {
        columns[out] = map[i];
        above[out] = map[i] > threshold ? 1 : 0;
      }
    }
    this.current = -1;
  }

  /** Takes the cells whose left column of logits is `x`; beyond the last column they have no width. */
  moveTo(x: number): void {
    if (x === this.current) return;
    this.current = x;
    const { height, columns, width } = this;
    const next = Math.min(x + 1, width - 1);
    this.left = columns.subarray(x * height, (x + 1) * height);
    this.right = columns.subarray(next * height, (next + 1) * height);
    this.findSegments(x * height, next * height);
  }

  private findSegments(left: number, right: number): void {
    const { above, bandTops, bandBegins, begins, kinds, tops, height } = this;
    let count = 0;
    let previous = MIXED;
    for (let band = 0; band < bandTops.length; band++) {
      const top = bandTops[band];
      const bottom = Math.min(top + 1, height - 1);
      const corners =
        above[left + top] + above[right + top] + above[left + bottom] + above[right + bottom];
      const kind = corners === 0 ? OUTSIDE : corners === 4 ? INSIDE : MIXED;
      if (kind === MIXED || kind !== previous) {
        begins[count] = bandBegins[band];
        kinds[count] = kind;
        tops[count] = top;
        count++;
      }
      previous = kind;
    }
    begins[count] = this.fractions.length;
    this.segments = count;
  }
}
