import { defineKernel } from '../../src/compute/kernel.ts';
import { poseScoreCpu } from './cpu.ts';
import wgsl from './pose-score.wgsl' with { type: 'text' };

/**
 * How well renderings of N poses explain an observation.
 *
 * - `rendered` float32 [N, h, w, 3]: points of `render-poses`; z = 0 where the model isn't.
 * - `observed` float32 [K, h, w, 3] and `mask` uint8 [K, h, w]: points of the same pixels, z = 0
 *   where there is none, and non-zero for the object's pixels. K, `observations`, is 1 where all N
 *   share a window, or N; rendering n is held against n mod K.
 * - `scores` float32 [N, 7]: six numbers of pixels and a mean, each column named in {@link SCORE}.
 *
 * With the gap g = observed z − rendered z where both are:
 * 0. inliers: |g| ≤ tolerance, in the mask;
 * 1. violations of free space: g > tolerance, in the mask or not: the camera looks through the model;
 * 2. uncovered: in the mask, and nothing is rendered;
 * 3. behind: g < −tolerance in the mask, where nothing else can hide the object;
 * 4. outside: |g| ≤ tolerance, but the mask says it is not the object;
 * 5. covered: something is rendered;
 * 6. the mean |g| of the inliers, in metres; 0 if there are none.
 */
export const poseScore = defineKernel({
  name: 'pose-score',
  wgsl,
  buffers: [
    { name: 'rendered', dtype: 'float32', access: 'read' },
    { name: 'observed', dtype: 'float32', access: 'read' },
    { name: 'mask', dtype: 'uint8', access: 'read' },
    { name: 'scores', dtype: 'float32', access: 'write' },
  ],
  uniforms: {
    images: 'u32',
    observations: 'u32',
    width: 'u32',
    height: 'u32',
    tolerance: 'f32',
  },
  workgroup: [64, 1, 1],
  invocations: ({ images }) => [64, images, 1],
  cpu: ([rendered, observed, mask, scores], params) =>
    poseScoreCpu(
      rendered as Float32Array,
      observed as Float32Array,
      mask as Uint8Array,
      scores as Float32Array,
      params,
    ),
});

/** Columns of a row of scores. */
export const SCORE = {
  inliers: 0,
  violations: 1,
  uncovered: 2,
  behind: 3,
  outside: 4,
  covered: 5,
  residual: 6,
  columns: 7,
} as const;
