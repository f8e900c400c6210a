import type { SymmetryTransform } from './method.ts';

const IDENTITY = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] as const;

/**
 * Symmetries of a mesh as those of the same mesh with `center` moved to the origin.
 *
 * @returns float32 [S + 1, 4, 4], row-major: the identity, then T(−center)·S·T(center) of each
 */
export function aboutCenter(
  symmetries: readonly SymmetryTransform[],
  center: readonly number[],
): Float32Array<ArrayBuffer> {
  const [x, y, z] = center;
  const moved = new Float32Array((symmetries.length + 1) * 16);
  moved.set(IDENTITY);
  symmetries.forEach((symmetry, index) => {
    const at = (index + 1) * 16;
    moved.set(symmetry, at);
    for (let row = 0; row < 3; row++) {
      const [a, b, c] = symmetry.subarray(row * 4, row * 4 + 3);
      moved[at + row * 4 + 3] += a * x + b * y + c * z - center[row];
    }
  });
  return moved;
}

/** How near two poses count as one: radians, and metres between their translations. */
export interface Nearness {
  readonly angle: number;
  readonly distance: number;
}

/**
 * Whether a pose is near another one turned by any of an object's symmetries.
 *
 * @param one float32 [4, 4], row-major: object → camera; so is `other`
 * @param symmetries float32 [S, 4, 4], of the object
 */
export function isNearAny(
  one: Float32Array,
  other: Float32Array,
  symmetries: Float32Array,
  { angle, distance }: Nearness,
): boolean {
  // The trace of Aᵀ·B is 1 + 2·cos of the angle between two rotations.
  const least = 1 + 2 * Math.cos(angle);
  const [r0, r1, r2, x, r3, r4, r5, y, r6, r7, r8, z] = one;
  const [q0, q1, q2, ox, q3, q4, q5, oy, q6, q7, q8, oz] = other;
  // Of oneᵀ·other, column by column: its product with a symmetry has the trace of both.
  const m0 = r0 * q0 + r3 * q3 + r6 * q6;
  const m1 = r1 * q0 + r4 * q3 + r7 * q6;
  const m2 = r2 * q0 + r5 * q3 + r8 * q6;
  const m3 = r0 * q1 + r3 * q4 + r6 * q7;
  const m4 = r1 * q1 + r4 * q4 + r7 * q7;
  const m5 = r2 * q1 + r5 * q4 + r8 * q7;
  const m6 = r0 * q2 + r3 * q5 + r6 * q8;
  const m7 = r1 * q2 + r4 * q5 + r7 * q8;
  const m8 = r2 * q2 + r5 * q5 + r8 * q8;
  for (let at = 0; at < symmetries.length; at += 16) {
    const first = symmetries[at] * m0 + symmetries[at + 1] * m1 + symmetries[at + 2] * m2;
    const second = symmetries[at + 4] * m3 + symmetries[at + 5] * m4 + symmetries[at + 6] * m5;
    const third = symmetries[at + 8] * m6 + symmetries[at + 9] * m7 + symmetries[at + 10] * m8;
    if (first + second + third < least) continue;
    const [sx, sy, sz] = [symmetries[at + 3], symmetries[at + 7], symmetries[at + 11]];
    const dx = q0 * sx + q1 * sy + q2 * sz + ox - x;
    const dy = q3 * sx + q4 * sy + q5 * sz + oy - y;
    const dz = q6 * sx + q7 * sy + q8 * sz + oz - z;
    if (dx * dx + dy * dy + dz * dz < distance * distance) return true;
  }
  return false;
}

/** The pose of a mesh's own coordinates, from that of the same mesh with `center` moved to the origin. */
export function uncentered(
  pose: Float32Array,
  center: readonly number[],
): Float32Array<ArrayBuffer> {
  return shifted(pose, center, -1);
}

/** The way back of {@link uncentered}. */
export function centered(pose: Float32Array, center: readonly number[]): Float32Array<ArrayBuffer> {
  return shifted(pose, center, 1);
}

function shifted(pose: Float32Array, [x, y, z]: readonly number[], sign: 1 | -1) {
  const moved = Float32Array.from(pose);
  for (let row = 0; row < 12; row += 4) {
    moved[row + 3] += sign * (pose[row] * x + pose[row + 1] * y + pose[row + 2] * z);
  }
  return moved;
}
