/** The uniforms of kernel.ts. */
export interface PoseCropsParams {
  readonly images: number;
  readonly size: number;
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
  readonly radius: number;
}

/** Metres. */
const NEAREST = 0.001;

/** CPU twin of pose-crops.wgsl. */
export function poseCropsCpu(
  poses: Float32Array,
  windows: Float32Array,
  transforms: Float32Array,
  { images, size, fx, fy, cx, cy, radius }: PoseCropsParams,
): void {
  const reach = Math.max(Math.abs(fx), Math.abs(fy)) * radius;
  for (let image = 0; image < images; image++) {
    const x = poses[image * 16 + 3];
    const y = poses[image * 16 + 7];
    const z = poses[image * 16 + 11];
    const isAhead = z >= NEAREST;
    const u = isAhead ? (fx * x) / z + cx : 0;
    const v = isAhead ? (fy * y) / z + cy : 0;
    const half = isAhead ? reach / z : 0;
    const left = Math.floor(u - half + 0.5);
    const top = Math.floor(v - half + 0.5);
    const width = Math.max(Math.floor(u + half + 0.5) - left, 1);
    const height = Math.max(Math.floor(v + half + 0.5) - top, 1);
    const across = width / size;
    const down = height / size;
    windows.set([left, top, left + across * (size - 1), top + down * (size - 1)], image * 4);
    transforms.set([across, 0, left, 0, down, top, 0, 0, 1], image * 9);
  }
}
