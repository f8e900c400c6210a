/** The uniforms of kernel.ts. */
export interface DepthFilterParams {
  readonly width: number;
  readonly height: number;
  readonly stage: number;
  readonly radius: number;
  readonly min_depth: number;
  readonly max_depth: number;
  readonly max_difference: number;
  readonly max_bad_share: number;
  readonly sigma_space: number;
  readonly sigma_depth: number;
}

/** CPU twin of depth-filter.wgsl. */
export function depthFilterCpu(
  depth: Float32Array,
  filtered: Float32Array,
  params: DepthFilterParams,
): void {
  // What float32 depth is compared with is float32 on a GPU.
  const rounded = {
    ...params,
    min_depth: Math.fround(params.min_depth),
    max_depth: Math.fround(params.max_depth),
    max_difference: Math.fround(params.max_difference),
    max_bad_share: Math.fround(params.max_bad_share),
  };
  if (params.stage === 0) erode(depth, filtered, rounded);
  else smooth(depth, filtered, rounded);
}

function erode(depth: Float32Array, filtered: Float32Array, params: DepthFilterParams): void {
  const { width, height, radius, min_depth, max_depth, max_difference, max_bad_share } = params;
  for (let y = 0, pixel = 0; y < height; y++) {
    const top = Math.max(y - radius, 0);
    const bottom = Math.min(y + radius, height - 1);
    for (let x = 0; x < width; x++, pixel++) {
      filtered[pixel] = 0;
      const z = depth[pixel];
      if (!(z >= min_depth && z < max_depth)) continue;
      const left = Math.max(x - radius, 0);
      const right = Math.min(x + radius, width - 1);
      let good = 0;
      for (let row = top; row <= bottom; row++) {
        const last = row * width + right;
        for (let at = row * width + left; at <= last; at++) {
          const other = depth[at];
          const isNear = Math.abs(Math.fround(other - z)) <= max_difference;
          if (isNear && other >= min_depth && other < max_depth) good++;
        }
      }
      const total = (right - left + 1) * (bottom - top + 1);
      if (Math.fround((total - good) / total) <= max_bad_share) filtered[pixel] = z;
    }
  }
}

function smooth(depth: Float32Array, filtered: Float32Array, params: DepthFilterParams): void {
  const { width, height, radius, min_depth, max_depth, max_difference, sigma_space } = params;
  const range = -0.5 / params.sigma_depth ** 2;
  const spatial = gaussian(radius, sigma_space);
  const side = 2 * radius + 1;
  for (let y = 0, pixel = 0; y < height; y++) {
    const top = Math.max(y - radius, 0);
    const bottom = Math.min(y + radius, height - 1);
    for (let x = 0; x < width; x++, pixel++) {
      const left = Math.max(x - radius, 0);
      const right = Math.min(x + radius, width - 1);
      let sum = 0;
      let count = 0;
      for (let row = top; row <= bottom; row++) {
        const last = row * width + right;
        for (let at = row * width + left; at <= last; at++) {
          const other = depth[at];
          if (other >= min_depth && other < max_depth) {
            sum += other;
            count++;
          }
        }
      }
      filtered[pixel] = 0;
      if (count === 0) continue;
      const mean = sum / count;
      const z = depth[pixel];
      let weighted = 0;
      let weights = 0;
      for (let row = top; row <= bottom; row++) {
        const last = row * width + right;
        let weightAt = (row - y + radius) * side + (left - x + radius);
        for (let at = row * width + left; at <= last; at++, weightAt++) {
          const other = depth[at];
          const isNear = Math.abs(other - mean) < max_difference;
          if (!(isNear && other >= min_depth && other < max_depth)) continue;
          const exponent = (z - other) * (z - other) * range;
          const weight = spatial[weightAt] * (exponent > -1e-7 ? 1 + exponent : Math.exp(exponent));
          weighted += weight * other;
          weights += weight;
        }
      }
      if (weights > 0) filtered[pixel] = weighted / weights;
    }
  }
}

/** Weights [2·radius + 1]² of a Gaussian, 1 at its middle. */
function gaussian(radius: number, sigma: number): Float64Array {
  const side = 2 * radius + 1;
  return Float64Array.from({ length: side * side }, (_, index) => {
    const dx = (index % side) - radius;
    const dy = Math.floor(index / side) - radius;
    return Math.exp(-(dx * dx + dy * dy) / (2 * sigma * sigma));
  });
}
