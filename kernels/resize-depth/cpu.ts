import { AlignedColumns, blendRow, resizeRow } from './aligned.ts';

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
  const columns = new AlignedColumns(params.src_width, dst_width);
  const row = new Float32Array(params.src_width);
  for (let y = 0; y < dst_height; y++) {
    blendRow(source, row, y, params);
    resizeRow(row, columns, depth, y * dst_width);
  }
}
