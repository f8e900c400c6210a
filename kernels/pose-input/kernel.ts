import { defineKernel } from '../../src/compute/kernel.ts';
import { poseInputCpu } from './cpu.ts';
import wgsl from './pose-input.wgsl' with { type: 'text' };

/**
 * Crops of N poses → what FoundationPose's networks take: rgb float32 [N, h, w, 3] in [0, 1], as it
 * is, and xyz float32 [N, h, w, 3] as (xyz − t)/radius with the pose's translation t and half of the
 * mesh's diameter as the radius. A point with z < min_depth (the refiner's 0.001 m, the scorer's
 * 0.1 m) is 0 in all three; a coordinate beyond ±2 is 0 by itself.
 *
 * `poses` is float32 [N, 4, 4], row-major. The tensor is float32 [N, h, w, 6], or [N, 6, h, w] with
 * `channels_first`.
 */
export const poseInput = defineKernel({
  name: 'pose-input',
  wgsl,
  buffers: [
    { name: 'rgb', dtype: 'float32', access: 'read' },
    { name: 'xyz', dtype: 'float32', access: 'read' },
    { name: 'poses', dtype: 'float32', access: 'read' },
    { name: 'tensor', dtype: 'float32', access: 'write' },
  ],
  uniforms: {
    width: 'u32',
    height: 'u32',
    images: 'u32',
    channels_first: 'u32',
    radius: 'f32',
    min_depth: 'f32',
  },
  workgroup: [16, 16, 1],
  invocations: ({ width, height, images }) => [width, height, images],
  cpu: ([rgb, xyz, poses, tensor], params) =>
    poseInputCpu(
      rgb as Float32Array,
      xyz as Float32Array,
      poses as Float32Array,
      tensor as Float32Array,
      params,
    ),
});
