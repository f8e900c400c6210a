/** The uniforms of kernel.ts. */
export interface CropWarpParams {
  readonly src_width: number;
  readonly src_height: number;
  readonly dst_width: number;
  readonly dst_height: number;
  readonly images: number;
  readonly colored: number;
}

/** The buffers of kernel.ts. */
export interface CropWarpBuffers {
  readonly image: Uint8Array;
  readonly points: Float32Array;
  readonly transforms: Float32Array;
  readonly rgb: Float32Array;
  readonly xyz: Float32Array;
}

/** CPU twin of crop-warp.wgsl. */
export function cropWarpCpu(buffers: CropWarpBuffers, params: CropWarpParams): void {
  const { dst_width, dst_height, images } = params;
  const isColored = params.colored !== 0;
  for (let crop = 0; crop < images; crop++) {
    const [a, b, c, d, e, f, g, h, i] = buffers.transforms.subarray(crop * 9, crop * 9 + 9);
    for (let y = 0; y < dst_height; y++) {
      let out = (crop * dst_height + y) * dst_width * 3;
      for (let x = 0; x < dst_width; x++, out += 3) {
        // Rounded to float32, as on a GPU, for the same pixel where two are equally near.
        const depth = Math.fround(g * x + h * y + i);
        const u = Math.fround(Math.fround(a * x + b * y + c) / depth);
        const v = Math.fround(Math.fround(d * x + e * y + f) / depth);
        takeNearest(buffers, params, u, v, out);
        if (isColored) blend(buffers, params, u, v, out);
      }
    }
  }
}

/** NaN is outside. */
function takeNearest(
  { points, xyz }: CropWarpBuffers,
  { src_width, src_height }: CropWarpParams,
  u: number,
  v: number,
  out: number,
): void {
  const x = Math.floor(Math.fround(u + 0.5));
  const y = Math.floor(Math.fround(v + 0.5));
  const isInside = x >= 0 && y >= 0 && x < src_width && y < src_height;
  const from = isInside ? (y * src_width + x) * 3 : 0;
  xyz[out] = isInside ? points[from] : 0;
  xyz[out + 1] = isInside ? points[from + 1] : 0;
  xyz[out + 2] = isInside ? points[from + 2] : 0;
}

function blend(
  { image, rgb }: CropWarpBuffers,
  { src_width, src_height }: CropWarpParams,
  u: number,
  v: number,
  out: number,
): void {
  const left = Math.floor(u);
  const top = Math.floor(v);
  if (!(left >= -1 && top >= -1 && left < src_width && top < src_height)) {
    rgb[out] = rgb[out + 1] = rgb[out + 2] = 0;
    return;
  }
  // Weights of what lies outside are 0, and then any pixel will do.
  const right = u - left;
  const below = v - top;
  const west = left < 0 ? 0 : 1 - right;
  const east = left + 1 < src_width ? right : 0;
  const north = top < 0 ? 0 : 1 - below;
  const south = top + 1 < src_height ? below : 0;
  const x0 = Math.max(left, 0);
  const x1 = Math.min(left + 1, src_width - 1);
  const y0 = Math.max(top, 0) * src_width;
  const y1 = Math.min(top + 1, src_height - 1) * src_width;
  for (let channel = 0; channel < 3; channel++) {
    const upper = image[(y0 + x0) * 3 + channel] * west + image[(y0 + x1) * 3 + channel] * east;
    const lower = image[(y1 + x0) * 3 + channel] * west + image[(y1 + x1) * 3 + channel] * east;
    rgb[out + channel] = (upper * north + lower * south) / 255;
  }
}
