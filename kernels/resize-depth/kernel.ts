import { defineKernel } from '../../src/compute/kernel.ts';
import { resizeDepthCpu } from './cpu.ts';
import wgsl from './resize-depth.wgsl' with { type: 'text' };

/**
 * Depth [h, w] at an element offset of the source → float32 [H, W], bilinear with
 * `align_corners=True` (corner pixels coincide), each value multiplied by `depth_scale`.
 * This is Depth Anything V2's own postprocessing.
 */
export const resizeDepth = defineKernel({
  name: 'resize-depth',
  wgsl,
  buffers: [
    { name: 'source', dtype: 'float32', access: 'read' },
    { name: 'depth', dtype: 'float32', access: 'write' },
  ],
  uniforms: {
    src_width: 'u32',
    src_height: 'u32',
    dst_width: 'u32',
    dst_height: 'u32',
    src_offset: 'u32',
    depth_scale: 'f32',
  },
  workgroup: [16, 16, 1],
  invocations: ({ dst_width, dst_height }) => [dst_width, dst_height, 1],
  cpu: ([source, depth], params) =>
    resizeDepthCpu(source as Float32Array, depth as Float32Array, params),
});
