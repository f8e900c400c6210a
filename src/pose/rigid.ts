/**
 * What is wrong with a rigid transform, or null.
 *
 * @param matrix [4, 4], row-major
 * @param tolerance largest error of an element of RᵀR and of the determinant
 */
export function rigidProblem(matrix: ArrayLike<number>, tolerance: number): string | null {
  const m = Array.from({ length: 16 }, (_, at) => matrix[at]);
  if (!m.every(Number.isFinite)) return 'it has a number that is not finite';
  const bottom = m.slice(12);
  if (bottom.some((value, at) => Math.abs(value - (at === 3 ? 1 : 0)) > tolerance)) {
    return `its last row is [${bottom.join(', ')}], not [0, 0, 0, 1]`;
  }
  let worst = 0;
  for (let a = 0; a < 3; a++) {
    for (let b = 0; b < 3; b++) {
      const product = m[a] * m[b] + m[4 + a] * m[4 + b] + m[8 + a] * m[8 + b];
      worst = Math.max(worst, Math.abs(product - (a === b ? 1 : 0)));
    }
  }
  if (worst > tolerance) return `its rotation's RᵀR is off the identity by ${worst.toPrecision(3)}`;
  const det =
    m[0] * (m[5] * m[10] - m[6] * m[9]) -
    m[1] * (m[4] * m[10] - m[6] * m[8]) +
    m[2] * (m[4] * m[9] - m[5] * m[8]);
  if (Math.abs(det - 1) <= tolerance) return null;
  return `its rotation's determinant is ${det.toPrecision(4)}, not 1`;
}

/**
 * A rigid transform from one that nearly is, by Gram–Schmidt: its rotation's rows are made
 * orthonormal, the first keeping its direction, and its last row is [0, 0, 0, 1].
 *
 * @param matrix [4, 4], row-major
 * @returns float32 [4, 4], row-major
 */
export function madeRigid(matrix: ArrayLike<number>): Float32Array<ArrayBuffer> {
  const [ax, ay, az] = unit(matrix[0], matrix[1], matrix[2]);
  const along = ax * matrix[4] + ay * matrix[5] + az * matrix[6];
  const [bx, by, bz] = unit(matrix[4] - along * ax, matrix[5] - along * ay, matrix[6] - along * az);
  const c = [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx];
  const [x, y, z] = [matrix[3], matrix[7], matrix[11]];
  return Float32Array.of(ax, ay, az, x, bx, by, bz, y, c[0], c[1], c[2], z, 0, 0, 0, 1);
}

function unit(x: number, y: number, z: number): [x: number, y: number, z: number] {
  const length = Math.hypot(x, y, z);
  return [x / length, y / length, z / length];
}

/** A matrix [4, 4] as nested rows. */
export function nestedRows(matrix: ArrayLike<number>): number[][] {
  return [0, 4, 8, 12].map((row) => Array.from({ length: 4 }, (_, at) => matrix[row + at]));
}
