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

/** A matrix [4, 4] as nested rows. */
export function nestedRows(matrix: ArrayLike<number>): number[][] {
  return [0, 4, 8, 12].map((row) => Array.from({ length: 4 }, (_, at) => matrix[row + at]));
}
