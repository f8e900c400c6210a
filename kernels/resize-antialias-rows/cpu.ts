/** The uniforms of kernel.ts. */
export interface ResizeAntialiasRowsParams {
  readonly src_width: number;
  readonly dst_width: number;
  readonly height: number;
  readonly taps: number;
  readonly fraction_bits: number;
}

/** CPU twin of resize-antialias-rows.wgsl. */
export function resizeAntialiasRowsCpu(
  image: Uint8Array,
  starts: Uint32Array,
  weights: Uint32Array,
  levels: Uint32Array,
  { src_width, dst_width, height, taps, fraction_bits }: ResizeAntialiasRowsParams,
): void {
  const half = 1 << (fraction_bits - 1);
  for (let y = 0, out = 0; y < height; y++) {
    const row = y * src_width;
    for (let x = 0, tap = 0; x < dst_width; x++, out++) {
      let r = half;
      let g = half;
      let b = half;
      let at = (row + starts[x]) * 3;
      for (const end = tap + taps; tap < end; tap++, at += 3) {
        const weight = weights[tap];
        r += Math.imul(weight, image[at]);
        g += Math.imul(weight, image[at + 1]);
        b += Math.imul(weight, image[at + 2]);
      }
      levels[out] =
        (r >> fraction_bits) | ((g >> fraction_bits) << 8) | ((b >> fraction_bits) << 16);
    }
  }
}
