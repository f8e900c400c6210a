import { SCORE } from '../../../kernels/pose-score/kernel.ts';
import { isNearAny, type Nearness } from '../symmetric_poses.ts';
import { posesAt } from '../viewpoints.ts';
import { type MaskCrop, median } from './crop.ts';
import type { Level } from './level.ts';

/**
 * Poses [N, 4, 4] of rotations at the middle of the mask, as deep as its median.
 */
export function posesAtMask(
  rotations: readonly Float64Array[],
  crop: MaskCrop,
): Float32Array<ArrayBuffer> {
  const { fx, fy, cx, cy } = crop.intrinsics;
  const [u, v] = crop.maskCenter;
  const z = crop.distance;
  return posesAt(rotations, [((u - cx) / fx) * z, ((v - cy) / fy) * z, z]);
}

/**
 * Moves each pose so that what is rendered of it has its box's middle and its median depth where the
 * mask has its own: the middle of an object lies behind the surface that is seen.
 *
 * @param rendered float32 [N, side, side, 3]
 */
export function alignWithMask(
  poses: Float32Array,
  rendered: Float32Array,
  { side, factor }: Level,
  { intrinsics, maskCenter, distance }: MaskCrop,
): void {
  const first = Math.floor(factor / 2);
  for (let index = 0; index < poses.length / 16; index++) {
    const image = rendered.subarray(index * side * side * 3, (index + 1) * side * side * 3);
    const depths: number[] = [];
    let [left, top, right, bottom] = [side, side, -1, -1];
    for (let pixel = 0; pixel < side * side; pixel++) {
      const z = image[pixel * 3 + 2];
      if (!(z > 0)) continue;
      const [u, v] = [pixel % side, Math.floor(pixel / side)];
      left = Math.min(left, u);
      right = Math.max(right, u);
      top = Math.min(top, v);
      bottom = Math.max(bottom, v);
      depths.push(z);
    }
    if (depths.length === 0) continue;
    const at = index * 16;
    const z = poses[at + 11];
    const moved = z + distance - median(depths);
    const u = maskCenter[0] - (((left + right) / 2) * factor + first);
    const v = maskCenter[1] - (((top + bottom) / 2) * factor + first);
    poses[at + 3] = ((poses[at + 3] + (u / intrinsics.fx) * z) * moved) / z;
    poses[at + 7] = ((poses[at + 7] + (v / intrinsics.fy) * z) * moved) / z;
    poses[at + 11] = moved;
  }
}

/** How well each pose explains the mask's pixels: at most 1, and far below 0 for a wrong one. */
export function totalsOf(scores: Float32Array, level: Level): number[] {
  return Array.from({ length: scores.length / SCORE.columns }, (_, index) => {
    const row = scores.subarray(index * SCORE.columns, (index + 1) * SCORE.columns);
    const against =
      row[SCORE.violations] + row[SCORE.uncovered] + row[SCORE.behind] + row[SCORE.outside] / 2;
    return (row[SCORE.inliers] - against) / Math.max(level.masked, 1);
  });
}

/** The best poses, best first; of those that nearly agree, by a symmetry too, one. */
export function distinctBest(
  poses: Float32Array,
  totals: readonly number[],
  count: number,
  near: Nearness,
  symmetries: Float32Array,
): number[] {
  const order = totals.map((_, index) => index).sort((a, b) => totals[b] - totals[a]);
  const poseAt = (index: number) => poses.subarray(index * 16, index * 16 + 16);
  const chosen: number[] = [];
  for (const index of order) {
    if (chosen.length === count) break;
    const pose = poseAt(index);
    if (chosen.some((other) => isNearAny(pose, poseAt(other), symmetries, near))) continue;
    chosen.push(index);
  }
  return chosen;
}

export function takePoses(
  poses: Float32Array,
  indices: readonly number[],
): Float32Array<ArrayBuffer> {
  const taken = new Float32Array(indices.length * 16);
  indices.forEach((from, to) => {
    taken.set(poses.subarray(from * 16, from * 16 + 16), to * 16);
  });
  return taken;
}
