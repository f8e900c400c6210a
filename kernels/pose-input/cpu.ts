/** The uniforms of kernel.ts. */
export interface PoseInputParams {
  readonly width: number;
  readonly height: number;
  readonly images: number;
  readonly channels_first: number;
  readonly radius: number;
  readonly min_depth: number;
}

/** CPU twin of pose-input.wgsl. */
export function poseInputCpu(
  rgb: Float32Array,
  xyz: Float32Array,
  poses: Float32Array,
  tensor: Float32Array,
  params: PoseInputParams,
): void {
  const { images, radius } = params;
  const plane = params.width * params.height;
  const minDepth = Math.fround(params.min_depth);
  const isChannelsFirst = params.channels_first !== 0;
  const stride = isChannelsFirst ? plane : 1;
  const step = isChannelsFirst ? 1 : 6;
  for (let image = 0; image < images; image++) {
    const x = poses[image * 16 + 3];
    const y = poses[image * 16 + 7];
    const z = poses[image * 16 + 11];
    let source = image * plane * 3;
    let out = image * plane * 6;
    for (let pixel = 0; pixel < plane; pixel++, source += 3, out += step) {
      tensor[out] = rgb[source];
      tensor[out + stride] = rgb[source + 1];
      tensor[out + 2 * stride] = rgb[source + 2];
      const isValid = xyz[source + 2] >= minDepth;
      tensor[out + 3 * stride] = isValid ? within((xyz[source] - x) / radius) : 0;
      tensor[out + 4 * stride] = isValid ? within((xyz[source + 1] - y) / radius) : 0;
      tensor[out + 5 * stride] = isValid ? within((xyz[source + 2] - z) / radius) : 0;
    }
  }
}

function within(value: number): number {
  return Math.abs(Math.fround(value)) < 2 ? value : 0;
}
