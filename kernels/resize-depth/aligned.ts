/**
 * Source columns of a bilinear resize with `align_corners=True`: destination x lies at
 * x·(src − 1)/(dst − 1), between columns `low` and `high`.
 */
export class AlignedColumns {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly fraction: Float32Array;

  constructor(src: number, dst: number) {
    this.low = new Int32Array(dst);
    this.high = new Int32Array(dst);
    this.fraction = new Float32Array(dst);
    const denominator = Math.max(dst - 1, 1);
    for (let x = 0; x < dst; x++) {
      const numerator = x * (src - 1);
      const low = Math.floor(numerator / denominator);
      this.low[x] = low;
      this.high[x] = Math.min(low + 1, src - 1);
      this.fraction[x] = (numerator - low * denominator) / denominator;
    }
  }
}

/** Resizes a blended row of the source into `depth` from `base` on. */
export function resizeRow(
  row: Float32Array,
  { low, high, fraction }: AlignedColumns,
  depth: Float32Array,
  base: number,
): void {
  for (let x = 0; x < fraction.length; x++) {
    const left = row[low[x]];
    depth[base + x] = left + (row[high[x]] - left) * fraction[x];
  }
}

/** Blends the two source rows around destination row `y` into `row`, times `depth_scale`. */
export function blendRow(
  source: Float32Array,
  row: Float32Array,
  y: number,
  params: {
    readonly src_width: number;
    readonly src_height: number;
    readonly dst_height: number;
    readonly src_offset: number;
    readonly depth_scale: number;
  },
): void {
  const { src_width, src_height, src_offset, depth_scale } = params;
  const denominator = Math.max(params.dst_height - 1, 1);
  const numerator = y * (src_height - 1);
  const low = Math.floor(numerator / denominator);
  const fraction = Math.fround((numerator - low * denominator) / denominator);
  const top = src_offset + low * src_width;
  const bottom = src_offset + Math.min(low + 1, src_height - 1) * src_width;
  for (let x = 0; x < src_width; x++) {
    const value = source[top + x];
    row[x] = (value + (source[bottom + x] - value) * fraction) * depth_scale;
  }
}
