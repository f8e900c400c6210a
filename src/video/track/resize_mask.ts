interface Size {
  readonly width: number;
  readonly height: number;
}

/** Which source positions a destination position reads, with weights that add up to 1. */
interface Taps {
  readonly first: number;
  readonly weights: readonly number[];
}

/**
 * Resizes a map as `torch.nn.functional.interpolate(mode='bilinear', align_corners=False,
 * antialias=True)`: a triangle as wide as the reduction, half-pixel centres, weights normalised at the
 * edges. Where a side grows it is plain bilinear.
 *
 * @param values [height, width], row by row.
 */
export function resizeAntialiased(values: ArrayLike<number>, from: Size, to: Size): Float32Array {
  const across = Array.from({ length: to.width }, (_, x) => taps(x, from.width, to.width));
  const rows = new Float64Array(from.height * to.width);
  for (let y = 0; y < from.height; y++) {
    across.forEach(({ first, weights }, x) => {
      let sum = 0;
      for (const [i, weight] of weights.entries())
        sum += weight * values[y * from.width + first + i];
      rows[y * to.width + x] = sum;
    });
  }
  const resized = new Float32Array(to.height * to.width);
  for (let y = 0; y < to.height; y++) {
    const { first, weights } = taps(y, from.height, to.height);
    for (let x = 0; x < to.width; x++) {
      let sum = 0;
      for (const [i, weight] of weights.entries()) sum += weight * rows[(first + i) * to.width + x];
      resized[y * to.width + x] = sum;
    }
  }
  return resized;
}

/** ATen's `_compute_weights_aa` (native/cpu/UpSampleKernel.cpp) with the linear filter. */
function taps(position: number, from: number, to: number): Taps {
  const scale = Math.max(from / to, 1);
  const centre = ((position + 0.5) * from) / to;
  const first = Math.max(Math.trunc(centre - scale + 0.5), 0);
  const end = Math.min(Math.trunc(centre + scale + 0.5), from);
  const raw = Array.from({ length: end - first }, (_, i) =>
    Math.max(0, 1 - Math.abs((first + i - centre + 0.5) / scale)),
  );
  const sum = raw.reduce((a, b) => a + b, 0);
  return { first, weights: raw.map((weight) => weight / sum) };
}
