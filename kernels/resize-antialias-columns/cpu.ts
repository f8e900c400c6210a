/** The uniforms of kernel.ts. */
export interface ResizeAntialiasColumnsParams {
  readonly width: number;
  readonly dst_height: number;
  readonly taps: number;
  readonly fraction_bits: number;
  readonly scale_r: number;
  readonly scale_g: number;
  readonly scale_b: number;
  readonly bias_r: number;
  readonly bias_g: number;
  readonly bias_b: number;
}

/** CPU twin of resize-antialias-columns.wgsl. */
export function resizeAntialiasColumnsCpu(
  levels: Uint32Array,
  starts: Uint32Array,
  weights: Uint32Array,
  tensor: Float32Array,
  params: ResizeAntialiasColumnsParams,
): void {
  const { width, dst_height, taps, fraction_bits } = params;
  const reds = normalised(params.scale_r, params.bias_r);
  const greens = normalised(params.scale_g, params.bias_g);
  const blues = normalised(params.scale_b, params.bias_b);
  const half = 1 << (fraction_bits - 1);
  const green = dst_height * width;
  const blue = 2 * green;
  for (let y = 0, out = 0; y < dst_height; y++) {
    const first = y * taps;
    const last = first + taps;
    const row = starts[y] * width;
    for (let x = 0; x < width; x++, out++) {
      let r = half;
      let g = half;
      let b = half;
      for (let tap = first, at = row + x; tap < last; tap++, at += width) {
        const weight = weights[tap];
        const level = levels[at];
        r += Math.imul(weight, level & 255);
        g += Math.imul(weight, (level >> 8) & 255);
        b += Math.imul(weight, (level >> 16) & 255);
      }
      tensor[out] = reds[r >> fraction_bits];
      tensor[green + out] = greens[g >> fraction_bits];
      tensor[blue + out] = blues[b >> fraction_bits];
    }
  }
}

/** What each of the 256 levels becomes. */
function normalised(scale: number, bias: number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, level) => level * scale + bias);
}
