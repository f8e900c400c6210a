import { defineKernel } from '../../src/compute/kernel.ts';
import { depthToXyzCpu } from './cpu.ts';
import wgsl from './depth-to-xyz.wgsl' with { type: 'text' };

/**
 * Depth float32 [h, w] → points float32 [h, w, 3]: X = (u − cx)/fx·Z, Y = (v − cy)/fy·Z, Z = depth,
 * in the camera frame of OpenCV (x right, y down, z forward), with integer pixel coordinates, in the
 * unit of the depth. A point is (0, 0, 0) unless min_depth ≤ Z < max_depth; NaN is not.
 */
export const depthToXyz = defineKernel({
  name: 'depth-to-xyz',
  wgsl,
  buffers: [
    { name: 'depth', dtype: 'float32', access: 'read' },
    { name: 'xyz', dtype: 'float32', access: 'write' },
  ],
  uniforms: {
    width: 'u32',
    height: 'u32',
    fx: 'f32',
    fy: 'f32',
    cx: 'f32',
    cy: 'f32',
    min_depth: 'f32',
    max_depth: 'f32',
  },
  workgroup: [16, 16, 1],
  invocations: ({ width, height }) => [width, height, 1],
  cpu: ([depth, xyz], params) => depthToXyzCpu(depth as Float32Array, xyz as Float32Array, params),
});
