import type { Intrinsics } from './crops.ts';

/** Focal lengths in pixels. */
const FOCAL = { least: 1e-3, most: 1e7 };

/** Elements that a camera without skew has at 0, or at 1, up to this. */
const TOLERANCE = 1e-6;

/**
 * The camera of a matrix K as OpenCV has it.
 *
 * @param matrix [[fx, 0, cx], [0, fy, cy], [0, 0, 1]], pixels
 * @param field how the request calls it
 * @throws {RangeError} naming the field: not 3×3, not finite, singular, mirrored, with skew, or no
 *   projection to pixels.
 */
export function cameraOf(matrix: readonly (readonly number[])[], field: string): Intrinsics {
  const refuse = (what: string): never => {
    throw new RangeError(
      `${field}: ${what}; expected [[fx, 0, cx], [0, fy, cy], [0, 0, 1]] in pixels`,
    );
  };
  const columns = [...new Set(matrix.map((row) => row.length))];
  if (matrix.length !== 3 || columns.length !== 1 || columns[0] !== 3) {
    refuse(`given ${matrix.length}×${columns.join(' or ')} numbers`);
  }
  const [[fx, skew, cx], [turned, fy, cy], last] = matrix;
  if (!matrix.flat().every((value) => Number.isFinite(value) && Math.abs(value) <= FOCAL.most)) {
    refuse(`a number is not finite, or above ${FOCAL.most}`);
  }
  if (!isNear(last, [0, 0, 1])) refuse(`its last row is [${last.join(', ')}]`);
  if (fx * fy - skew * turned === 0) refuse('it is singular');
  if (!(fx >= FOCAL.least && fy >= FOCAL.least)) {
    refuse(`its focal lengths are ${fx} and ${fy}, not above ${FOCAL.least}`);
  }
  if (!isNear([skew / fx, turned / fy], [0, 0])) {
    refuse(`its skew is ${skew} and ${turned}, which no pinhole here has: rectify the picture`);
  }
  return { fx, fy, cx, cy };
}

function isNear(values: readonly number[], wanted: readonly number[]): boolean {
  return values.every((value, at) => Math.abs(value - wanted[at]) <= TOLERANCE);
}
