import { defineKernel } from '../../src/compute/kernel.ts';
import { unprojectCpu } from './cpu.ts';
import wgsl from './unproject.wgsl' with { type: 'text' };

/**
 * Depth [h, w] at an element offset of the source → depth [H, W] at the image's resolution (as
 * resize-depth) and the points of every `stride`-th pixel of every `stride`-th row, row-major:
 * X = (u − cx)/fx·Z, Y = (v − cy)/fy·Z, Z = depth, in the camera frame of OpenCV (x right, y down,
 * z forward), with integer pixel coordinates, in the unit of the depth.
 *
 * A point whose depth is outside [min_depth, max_depth] is (0, 0, 0), which no visible point is.
 * With `colored`, colors[i] is the point's pixel as R | G<<8 | B<<16; else `colors` is untouched
 * and `image` unread.
 */
export const unproject = defineKernel({
  name: 'unproject',
  wgsl,
  buffers: [
    { name: 'source', dtype: 'float32', access: 'read' },
    { name: 'image', dtype: 'uint8', access: 'read' },
    { name: 'depth', dtype: 'float32', access: 'write' },
    { name: 'points', dtype: 'float32', access: 'write' },
    { name: 'colors', dtype: 'uint32', access: 'write' },
  ],
  uniforms: {
    src_width: 'u32',
    src_height: 'u32',
    dst_width: 'u32',
    dst_height: 'u32',
    src_offset: 'u32',
    depth_scale: 'f32',
    fx: 'f32',
    fy: 'f32',
    cx: 'f32',
    cy: 'f32',
    stride: 'u32',
    min_depth: 'f32',
    max_depth: 'f32',
    colored: 'u32',
  },
  workgroup: [16, 16, 1],
  invocations: ({ dst_width, dst_height }) => [dst_width, dst_height, 1],
  cpu: ([source, image, depth, points, colors], params) =>
    unprojectCpu(
      source as Float32Array,
      image as Uint8Array,
      depth as Float32Array,
      points as Float32Array,
      colors as Uint32Array,
      params,
    ),
});
