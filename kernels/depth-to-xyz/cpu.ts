/** The uniforms of kernel.ts. */
export interface DepthToXyzParams {
  readonly width: number;
  readonly height: number;
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
  readonly min_depth: number;
  readonly max_depth: number;
}

/** CPU twin of depth-to-xyz.wgsl. */
export function depthToXyzCpu(
  depth: Float32Array,
  xyz: Float32Array,
  params: DepthToXyzParams,
): void {
  const { width, height, fx, fy, cx, cy } = params;
  // The bounds that a float32 is compared with are float32 on a GPU.
  const min = Math.fround(params.min_depth);
  const max = Math.fround(params.max_depth);
  for (let y = 0, pixel = 0; y < height; y++) {
    const slope = (y - cy) / fy;
    for (let x = 0; x < width; x++, pixel++) {
      const given = depth[pixel];
      const z = given >= min && given < max ? given : 0;
      xyz[pixel * 3] = ((x - cx) / fx) * z;
      xyz[pixel * 3 + 1] = slope * z;
      xyz[pixel * 3 + 2] = z;
    }
  }
}
