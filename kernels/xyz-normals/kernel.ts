import { defineKernel } from '../../src/compute/kernel.ts';
import { xyzNormalsCpu } from './cpu.ts';
import wgsl from './xyz-normals.wgsl' with { type: 'text' };

/**
 * Points of N images, xyz float32 [N, h, w, 3] in the camera frame (metres; z = 0 where there is
 * none) → unit normals float32 [N, h, w, 3] that face the camera, n·p ≤ 0; 0 where there is none.
 *
 * A normal is the cross product of the sums of i·(p_ij − p) and j·(p_ij − p) over the pixels (i, j)
 * around p's, up to `radius` in both directions, whose z differs from p's by at most
 * `max_difference` (metres): both lie in the surface, also where a part of the window is missing, so
 * that a plane's normal is exact. Where they are parallel, as on a line of pixels, there is none.
 */
export const xyzNormals = defineKernel({
  name: 'xyz-normals',
  wgsl,
  buffers: [
    { name: 'xyz', dtype: 'float32', access: 'read' },
    { name: 'normals', dtype: 'float32', access: 'write' },
  ],
  uniforms: {
    width: 'u32',
    height: 'u32',
    images: 'u32',
    radius: 'u32',
    max_difference: 'f32',
  },
  workgroup: [16, 16, 1],
  invocations: ({ width, height, images }) => [width, height, images],
  cpu: ([xyz, normals], params) =>
    xyzNormalsCpu(xyz as Float32Array, normals as Float32Array, params),
});
