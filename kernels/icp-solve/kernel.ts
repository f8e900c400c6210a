import { defineKernel } from '../../src/compute/kernel.ts';
import { icpSolveCpu } from './cpu.ts';
import wgsl from './icp-solve.wgsl' with { type: 'text' };

/**
 * Moves N poses by the solutions of their normal equations: (A + damping·diag(A))·x = b (Levenberg and
 * Marquardt), and by the exponential of SE(3) of the twist x = (ω, v) about the pose's translation t:
 * R ← exp(ω)·R, t ← t + V(ω)·v.
 *
 * - `sums` float32 [N, 29], of the kernel `icp-step` at these poses.
 * - `poses` float32 [N, 4, 4], row-major: object → camera, metres; changed in place.
 *
 * A twist that turns by more than 3 radians is shortened to that. A pose with fewer than 6 pairs, or
 * with sums that are no numbers, stays. `damping` is above 0, so
 * that directions which no pair tells of, as the turn of a sphere, stay too; where it is below 1e-5,
 * such turns drift by rounding.
 */
export const icpSolve = defineKernel({
  name: 'icp-solve',
  wgsl,
  buffers: [
    { name: 'sums', dtype: 'float32', access: 'read' },
    { name: 'poses', dtype: 'float32', access: 'write' },
  ],
  uniforms: { poses: 'u32', damping: 'f32' },
  workgroup: [64, 1, 1],
  invocations: ({ poses }) => [poses, 1, 1],
  cpu: ([sums, poses], params) => icpSolveCpu(sums as Float32Array, poses as Float32Array, params),
});
