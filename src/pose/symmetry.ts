import type { Mesh } from '../media/mesh/mesh.ts';
import type { SymmetryTransform } from './method.ts';

/** A turn about an axis by any angle, as BOP's `symmetries_continuous` has it. */
interface ContinuousSymmetry {
  /** Its direction, of any length above 0. */
  readonly axis: readonly number[];
  /** A point on it, metres. @default [0, 0, 0] */
  readonly offset?: readonly number[];
}

/** How an object can be moved and look the same, in its mesh's own frame, lengths in metres. */
export interface Symmetries {
  /** Each 16 numbers, [4, 4], or 9, a rotation [3, 3] about the origin; row-major, nested or not. */
  readonly discrete?: readonly (readonly (number | readonly number[])[])[];
  readonly continuous?: readonly ContinuousSymmetry[];
}

/** A continuous symmetry becomes turns in steps of 5°, as FoundationPose has it. */
const STEPS = 72;

/** Most motions of a set. */
const MAX_SYMMETRIES = 720;

/** How far a product of rows may be from that of a rotation: given digits are few. */
const RIGID_TOLERANCE = 5e-3;

/**
 * Motions that differ by less count as one: a step in radians, and a share of the diameter. Measured
 * symmetries, as BOP's of LINEMOD's egg box, do not quite lead back to the start.
 */
const SAME = { angle: (2 * Math.PI) / STEPS - 1e-3, distance: 0.03 };

type Matrix = Float64Array;
/** Metres. */
type Extent = Pick<Mesh, 'center' | 'diameter'>;

/**
 * The motions that leave an object as it is, by BOP's convention (`models_info.json`): each discrete
 * one, then a turn about each continuous axis. What the discrete ones make one after another is added,
 * so that a quarter turn stands for all four; several axes are not combined with each other.
 *
 * @param mesh what they are about: a symmetry moves no part of it farther than its diameter
 * @returns float32 [4, 4] each, row-major, in the mesh's own frame, metres; the identity is the first
 * @throws {RangeError} saying which is no motion, and why, and for more than 720 motions
 */
export function symmetrySet(
  { discrete = [], continuous = [] }: Symmetries,
  mesh: Extent,
): SymmetryTransform[] {
  if (discrete.length > MAX_SYMMETRIES || continuous.length * STEPS > MAX_SYMMETRIES)
    throw tooMany();
  const given = discrete.map((values, index) => rigid(values.flat(), `discrete[${index}]`));
  const turns = continuous.map((one, index) => turnsOf(one, `continuous[${index}]`));
  given.forEach((matrix, index) => {
    checkReach(matrix, mesh, `discrete[${index}]`);
  });
  turns.forEach(([, ...some], index) => {
    for (const matrix of some) checkReach(matrix, mesh, `continuous[${index}]`);
  });
  const most = Math.floor(MAX_SYMMETRIES / Math.max(1, turns.length * STEPS));
  const finite = closure(given, mesh, most);
  const all = turns.length === 0 ? finite : finite.flatMap((one) => combined(one, turns));
  return all.map((matrix) => Float32Array.from(matrix));
}

/** A discrete symmetry followed by every turn; the one by nothing is there once. */
function combined(first: Matrix, turns: readonly (readonly Matrix[])[]): Matrix[] {
  return [first, ...turns.flatMap(([, ...some]) => some.map((turn) => product(turn, first)))];
}

/** All that motions make one after another, and the identity. */
function closure(given: readonly Matrix[], extent: Extent, most: number): Matrix[] {
  const generators: Matrix[] = [];
  let found = [rotationOf(0, [0, 0, 1])];
  for (const one of given) {
    if (found.some((known) => isSame(known, one, extent))) continue;
    generators.push(one);
    found = generated(generators, extent, most);
  }
  return found;
}

function generated(generators: readonly Matrix[], extent: Extent, most: number): Matrix[] {
  const found = [rotationOf(0, [0, 0, 1])];
  for (let at = 0; at < found.length; at++) {
    for (const one of generators) {
      const next = product(one, found[at]);
      if (found.some((known) => isSame(known, next, extent))) continue;
      if (found.length >= most) throw tooMany();
      found.push(next);
    }
  }
  return found;
}

function tooMany(): RangeError {
  return new RangeError(
    `the symmetries make more than ${MAX_SYMMETRIES} motions with one another, continuous ones in ` +
      `${STEPS} steps each; give a continuous symmetry for a round object, and discrete ones that ` +
      'lead back to the start',
  );
}

function isSame(a: Matrix, b: Matrix, { center, diameter }: Extent): boolean {
  let trace = 0;
  for (let at = 0; at < 11; at++) if (at % 4 !== 3) trace += a[at] * b[at];
  if (!(trace > 1 + 2 * Math.cos(SAME.angle))) return false;
  const [p, q] = [moved(a, center), moved(b, center)];
  const distance = Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
  return distance < SAME.distance * diameter;
}

function checkReach(matrix: Matrix, { center, diameter }: Extent, field: string): void {
  const to = moved(matrix, center);
  const distance = Math.hypot(...to.map((value, axis) => value - center[axis]));
  if (distance <= diameter) return;
  throw new RangeError(
    `${field} moves the middle of the mesh by ${distance.toPrecision(3)} m, more than its diameter of ` +
      `${diameter.toPrecision(3)} m; expected a symmetry about the mesh in its own frame, in metres`,
  );
}

/** The motion that 9 or 16 numbers are, its rotation made exact. */
function rigid(values: readonly number[], field: string): Matrix {
  if (values.length !== 9 && values.length !== 16) {
    throw new RangeError(
      `${field} has ${values.length} numbers; expected 16 of a 4x4 matrix or 9 of a rotation, row by row`,
    );
  }
  if (!values.every(Number.isFinite)) {
    throw new RangeError(`${field} has a number that is not finite; expected finite ones`);
  }
  const columns = values.length === 16 ? 4 : 3;
  const last = values.slice(12);
  if (columns === 4 && last.some((value, at) => Math.abs(value - (at === 3 ? 1 : 0)) > 1e-6)) {
    throw new RangeError(
      `${field} has the last row [${last.join(', ')}]; expected [0, 0, 0, 1]: matrices are row-major`,
    );
  }
  const rows = [0, 1, 2].map((row) => values.slice(row * columns, row * columns + 3));
  checkRotation(rows, field);
  const first = unit(rows[0]);
  const third = unit(cross(first, rows[1]));
  const place = [0, 1, 2].map((row) => (columns === 4 ? values[row * 4 + 3] : 0));
  return matrixOf([first, cross(third, first), third], place);
}

function checkRotation(rows: readonly (readonly number[])[], field: string): void {
  const fault = rows.some((a, i) =>
    rows.some((b, j) => Math.abs(dot(a, b) - (i === j ? 1 : 0)) > RIGID_TOLERANCE),
  );
  if (fault) {
    throw new RangeError(
      `${field} is no rotation: its rows are not of length 1 and at right angles; expected a rotation ` +
        'without scale, to three digits at least',
    );
  }
  if (dot(cross(rows[0], rows[1]), rows[2]) < 0) {
    throw new RangeError(
      `${field} is a mirror image, its determinant is -1; expected a rotation, which an object can make`,
    );
  }
}

/** A turn in steps all around, the first by nothing. */
function turnsOf({ axis, offset = [0, 0, 0] }: ContinuousSymmetry, field: string): Matrix[] {
  for (const [name, values] of Object.entries({ axis, offset })) {
    if (values.length === 3 && values.every(Number.isFinite)) continue;
    throw new RangeError(
      `${field}.${name} is [${values.join(', ')}]; expected three finite numbers`,
    );
  }
  const length = Math.hypot(...axis);
  if (!(length > 1e-9)) {
    throw new RangeError(`${field}.axis is [${axis.join(', ')}]; expected a direction, not zero`);
  }
  return Array.from({ length: STEPS }, (_, step) => {
    const turn = rotationOf((step * 2 * Math.PI) / STEPS, unit(axis));
    const back = moved(turn, offset);
    for (let row = 0; row < 3; row++) turn[row * 4 + 3] = offset[row] - back[row];
    return turn;
  });
}

/** By Rodrigues' formula about a unit axis through the origin. */
function rotationOf(angle: number, [x, y, z]: readonly number[]): Matrix {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const d = 1 - c;
  const rows = [
    [c + x * x * d, x * y * d - z * s, x * z * d + y * s],
    [y * x * d + z * s, c + y * y * d, y * z * d - x * s],
    [z * x * d - y * s, z * y * d + x * s, c + z * z * d],
  ];
  return matrixOf(rows, [0, 0, 0]);
}

function matrixOf(rows: readonly (readonly number[])[], place: readonly number[]): Matrix {
  return Float64Array.of(...rows.flatMap((row, at) => [...row, place[at]]), 0, 0, 0, 1);
}

/** a·b: first b, then a. */
function product(a: Matrix, b: Matrix): Matrix {
  const result = new Float64Array(16);
  for (let at = 0; at < 16; at++) {
    const [row, column] = [at - (at % 4), at % 4];
    for (let k = 0; k < 4; k++) result[at] += a[row + k] * b[k * 4 + column];
  }
  return result;
}

function moved(matrix: Matrix, point: readonly number[]): number[] {
  return [0, 4, 8].map((row) => dot([...matrix.subarray(row, row + 3)], point) + matrix[row + 3]);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function cross(a: readonly number[], b: readonly number[]): number[] {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function unit(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}
