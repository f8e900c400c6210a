import { icpSolve } from '../../kernels/icp-solve/kernel.ts';
import { icpStep } from '../../kernels/icp-step/kernel.ts';
import type { Backend } from '../compute/backend.ts';
import { withTensors } from '../compute/scope.ts';
import type { Tensor } from '../compute/tensor.ts';
import type { Intrinsics } from './crops.ts';

/** What poses are refined against, on the device. */
export interface ObservedSurface {
  /** float32 [height, width, 3], camera frame, metres; z = 0 where there is none. */
  readonly xyz: Tensor;
  /** float32 [height, width, 3], of `xyz-normals`. */
  readonly normals: Tensor;
  readonly width: number;
  readonly height: number;
  /** Of these pixels: a crop's principal point is less by where it begins. */
  readonly intrinsics: Intrinsics;
}

/** The model's points, as the kernel `icp-step` takes them. */
export interface ModelCloud {
  /** float32 [sets, points, 3] each. */
  readonly points: Tensor;
  readonly normals: Tensor;
  /** float32 [sets, 4, 4], row-major: object → the points' frame. */
  readonly frames: Tensor;
  readonly sets: number;
  /** Of a set. */
  readonly count: number;
}

/** One round of steps with the same gates. */
export interface IcpRound {
  readonly steps: number;
  /** Metres. */
  readonly maxDistance: number;
  /** Cosine of the largest angle between a point's normal and the observed one. */
  readonly minCosine: number;
  readonly damping: number;
}

/**
 * Point-to-plane ICP of N poses at once, on the device: nothing is waited for until all is done.
 *
 * @param poses float32 [N, 4, 4], row-major: object → camera; changed in place
 */
export function refineIcp(
  backend: Backend,
  { points, normals, frames, sets, count }: ModelCloud,
  { xyz, normals: planes, width, height, intrinsics }: ObservedSurface,
  poses: Float32Array,
  rounds: readonly IcpRound[],
): Promise<void> {
  const number = poses.length / 16;
  const { fx, fy, cx, cy } = intrinsics;
  const size = { poses: number, sets, points: count, width, height, fx, fy, cx, cy };
  return withTensors(backend, async (keep) => {
    const sums = keep(backend.upload(new Float32Array(number * ICP_SUMS), [number, ICP_SUMS]));
    const current = keep(backend.upload(poses, [number, 4, 4]));
    const buffers = [points, normals, frames, current, xyz, planes, sums];
    for (const { steps, maxDistance, minCosine, damping } of rounds) {
      const gates = { max_distance: maxDistance, min_cosine: minCosine };
      for (let step = 0; step < steps; step++) {
        backend.run(icpStep, buffers, { ...size, ...gates });
        backend.run(icpSolve, [sums, current], { poses: number, damping });
      }
    }
    poses.set((await backend.download(current)) as Float32Array);
  });
}

/** Values of a pose in the sums of the kernel `icp-step`. */
const ICP_SUMS = 29;
