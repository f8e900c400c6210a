import { AlignedColumns, blendRow } from './aligned.ts';

/** The uniforms of kernel.ts. */
export interface ResizeDepthParams {
  readonly src_width: number;
  readonly src_height: number;
  readonly dst_width: number;
  readonly dst_height: number;
  readonly src_offset: number;
  readonly depth_scale: number;
}

/** CPU twin of resize-depth.wgsl. */
export function resizeDepthCpu(
  source: Float32Array,
  depth: Float32Array,
  params: ResizeDepthParams,
): void {
  const { dst_width, dst_height } = params;
  const { low, high, fraction } = new AlignedColumns(params.src_width, dst_width);
  const row = new Float32Array(params.src_width);
  for (let y = 0; y < dst_height; y++) {
    blendRow(source, row, y, params);
    const base = y * dst_width;
    for (let x = 0; x < dst_width; x++) {
      const left = row[low[x]];
      depth[base + x] = left + (row[high[x]] - left) * fraction[x];
    }
  }
}
