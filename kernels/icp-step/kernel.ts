import { defineKernel } from '../../src/compute/kernel.ts';
import { icpStepCpu } from './cpu.ts';
import wgsl from './icp-step.wgsl' with { type: 'text' };

/**
 * One step of point-to-plane ICP for N poses, up to solving it: the normal equations of Chen and
 * Medioni (1992) with projective association (Blais and Levine 1995).
 *
 * - `points`, `normals` float32 [sets, points, 3]: the model's, in the frame `frames` float32
 *   [sets, 4, 4] (object → frame): identity for points in the object's frame; for a rendering, the
 *   pose that it shows. Pose n takes the set n mod sets, so that one set serves all, or each has its
 *   own. Normals point outwards: a point that faces away from the camera is hidden, and left out, and
 *   so is one whose normal is 0.
 * - `poses` float32 [N, 4, 4]: object → camera. All matrices are row-major and rigid; metres.
 * - `observed`, `observed_normals` float32 [height, width, 3]: points in the camera frame, z = 0
 *   where there is none, and unit normals, 0 where there is none; fx, fy, cx, cy project to its
 *   pixels, whose centres are integers.
 * - `sums` float32 [N, 29].
 *
 * A point p, its arm a = p − t from the pose's translation t, is paired with the observed point q and
 * normal n at the pixel it falls on, if |q − p| ≤ max_distance and n·m ≥ min_cosine, m being the
 * point's normal. With the row J = (a × n, n) and the residual r = n·(q − p), `sums` holds A = ΣJᵀJ as
 * the 21 values of its upper triangle, row by row, b = ΣJᵀr, Σr², and the number of pairs. A·x = b
 * gives a small rotation about t and a translation that move the model onto the observation.
 */
export const icpStep = defineKernel({
  name: 'icp-step',
  wgsl,
  buffers: [
    { name: 'points', dtype: 'float32', access: 'read' },
    { name: 'normals', dtype: 'float32', access: 'read' },
    { name: 'frames', dtype: 'float32', access: 'read' },
    { name: 'poses', dtype: 'float32', access: 'read' },
    { name: 'observed', dtype: 'float32', access: 'read' },
    { name: 'observed_normals', dtype: 'float32', access: 'read' },
    { name: 'sums', dtype: 'float32', access: 'write' },
  ],
  uniforms: {
    poses: 'u32',
    sets: 'u32',
    points: 'u32',
    width: 'u32',
    height: 'u32',
    fx: 'f32',
    fy: 'f32',
    cx: 'f32',
    cy: 'f32',
    max_distance: 'f32',
    min_cosine: 'f32',
  },
  workgroup: [64, 1, 1],
  invocations: ({ poses }) => [64, poses, 1],
  cpu: ([points, normals, frames, poses, observed, observedNormals, sums], params) =>
    icpStepCpu(
      {
        points: points as Float32Array,
        normals: normals as Float32Array,
        frames: frames as Float32Array,
        poses: poses as Float32Array,
        observed: observed as Float32Array,
        observedNormals: observedNormals as Float32Array,
        sums: sums as Float32Array,
      },
      params,
    ),
});
