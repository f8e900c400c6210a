import { AlignedColumns, blendRow, resizeRow } from '../resize-depth/aligned.ts';

/** The uniforms of kernel.ts. */
export interface UnprojectParams {
  readonly src_width: number;
  readonly src_height: number;
  readonly dst_width: number;
  readonly dst_height: number;
  readonly src_offset: number;
  readonly depth_scale: number;
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
  readonly stride: number;
  readonly min_depth: number;
  readonly max_depth: number;
  readonly colored: number;
}

/** CPU twin of unproject.wgsl. */
export function unprojectCpu(
  source: Float32Array,
  image: Uint8Array,
  depth: Float32Array,
  points: Float32Array,
  colors: Uint32Array,
  params: UnprojectParams,
): void {
  const { dst_width, dst_height, stride } = params;
  const columns = new AlignedColumns(params.src_width, dst_width);
  const row = new Float32Array(params.src_width);
  const pointsPerRow = Math.ceil(dst_width / stride);
  for (let y = 0; y < dst_height; y++) {
    blendRow(source, row, y, params);
    resizeRow(row, columns, depth, y * dst_width);
    if (y % stride !== 0) continue;
    const first = (y / stride) * pointsPerRow;
    unprojectRow(depth, points, y, first, params);
    if (params.colored !== 0) colorRow(image, colors, y, first, params);
  }
}

function unprojectRow(
  depth: Float32Array,
  points: Float32Array,
  y: number,
  first: number,
  params: UnprojectParams,
): void {
  const { dst_width, fx, cx, stride, min_depth, max_depth } = params;
  const slope = (y - params.cy) / params.fy;
  const base = y * dst_width;
  for (let x = 0, out = first * 3; x < dst_width; x += stride, out += 3) {
    const value = depth[base + x];
    const z = value >= min_depth && value <= max_depth ? value : 0;
    points[out] = ((x - cx) / fx) * z;
    points[out + 1] = slope * z;
    points[out + 2] = z;
  }
}

function colorRow(
  image: Uint8Array,
  colors: Uint32Array,
  y: number,
  first: number,
  { dst_width, stride }: UnprojectParams,
): void {
  const base = y * dst_width;
  for (let x = 0, out = first; x < dst_width; x += stride, out++) {
    const index = (base + x) * 3;
    colors[out] = image[index] | (image[index + 1] << 8) | (image[index + 2] << 16);
  }
}
