import { defineKernel } from '../../src/compute/kernel.ts';
import { poseUpdateCpu } from './cpu.ts';
import wgsl from './pose-update.wgsl' with { type: 'text' };

/**
 * N poses moved by what FoundationPose's refiner says of them: t ← t + translation·radius, and
 * R ← exp(hat(w))ᵀ·R with w = tanh(rotation)·max_angle, an axis times an angle in the camera's frame.
 *
 * `poses` and `updated` are float32 [N, 4, 4], row-major: object → camera, metres; `translations` and
 * `rotations` float32 [N, 3]. `radius` is half of the mesh's diameter, in metres; `max_angle`, in
 * radians, at most 0.57, so that an angle is at most 1: sine and cosine are series, as WGSL's own may
 * be off by 5e-4.
 */
export const poseUpdate = defineKernel({
  name: 'pose-update',
  wgsl,
  buffers: [
    { name: 'poses', dtype: 'float32', access: 'read' },
    { name: 'translations', dtype: 'float32', access: 'read' },
    { name: 'rotations', dtype: 'float32', access: 'read' },
    { name: 'updated', dtype: 'float32', access: 'write' },
  ],
  uniforms: { images: 'u32', radius: 'f32', max_angle: 'f32' },
  workgroup: [64, 1, 1],
  invocations: ({ images }) => [images, 1, 1],
  cpu: ([poses, translations, rotations, updated], params) =>
    poseUpdateCpu(
      {
        poses: poses as Float32Array,
        translations: translations as Float32Array,
        rotations: rotations as Float32Array,
        updated: updated as Float32Array,
      },
      params,
    ),
});

/** What FoundationPose's refiners were trained with: 20° at most about each axis. */
export const MAX_ANGLE = 0.349_065_850_398_865_9;
