import { describe, expect, test } from 'bun:test';
import type { Backend } from '../../src/compute/backend.ts';
import { devices } from '../../test/devices.ts';
import { maxAbsoluteError, seeded } from '../../test/numbers.ts';
import { MAX_ANGLE, poseUpdate } from './kernel.ts';

const IMAGES = 100;
const RADIUS = 0.07;
const random = seeded(5);
const spread = (length: number, width: number) =>
  Float32Array.from({ length }, () => (random() * 2 - 1) * width);
/** Rotations are of any size: tanh is near its ends for the largest, and 0 for the first. */
const rotations = spread(IMAGES * 3, 3).map((value, at) => (at < 3 ? 0 : value * (at % 7)));
const translations = spread(IMAGES * 3, 0.5);
const poses = posesOf(spread(IMAGES * 3, 2), spread(IMAGES * 3, 1));

type Matrix = number[];

/** exp(hat(w)) by its power series, in float64. */
function exponential([x, y, z]: readonly number[]): Matrix {
  const hat = [0, -z, y, z, 0, -x, -y, x, 0];
  let term: Matrix = [1, 0, 0, 0, 1, 0, 0, 0, 1];
  let sum = term;
  for (let power = 1; power < 40; power++) {
    term = product(term, hat).map((value) => value / power);
    sum = sum.map((value, at) => value + term[at]);
  }
  return sum;
}

function product(a: Matrix, b: Matrix): Matrix {
  return a.map((_, at) => {
    const [row, column] = [Math.floor(at / 3) * 3, at % 3];
    return a[row] * b[column] + a[row + 1] * b[column + 3] + a[row + 2] * b[column + 6];
  });
}

function transposed(m: Matrix): Matrix {
  return m.map((_, at) => m[(at % 3) * 3 + Math.floor(at / 3)]);
}

function posesOf(turns: Float32Array, places: Float32Array): Float32Array {
  const all = new Float32Array((turns.length / 3) * 16);
  for (let at = 0; at < turns.length; at += 3) {
    const r = exponential([...turns.subarray(at, at + 3)]);
    const [x, y, z] = places.subarray(at, at + 3);
    const rows = [r.slice(0, 3), x, r.slice(3, 6), y, r.slice(6), z, 0, 0, 0, 1];
    all.set(rows.flat(), (at / 3) * 16);
  }
  return all;
}

/** The rule by its definition. */
function reference(turned: (rotation: Matrix) => Matrix): Float64Array {
  const all = Float64Array.from(poses);
  for (let image = 0; image < IMAGES; image++) {
    const at = image * 16;
    const turn = [...rotations.subarray(image * 3, image * 3 + 3)].map(
      (value) => Math.tanh(value) * MAX_ANGLE,
    );
    const given = [0, 1, 2, 4, 5, 6, 8, 9, 10].map((element) => poses[at + element]);
    product(turned(exponential(turn)), given).forEach((value, element) => {
      all[at + Math.floor(element / 3) * 4 + (element % 3)] = value;
    });
    for (let row = 0; row < 3; row++)
      all[at + row * 4 + 3] += translations[image * 3 + row] * RADIUS;
  }
  return all;
}

async function run(backend: Backend): Promise<Float32Array> {
  const inputs = [poses, translations, rotations].map((data) =>
    backend.upload(data, [IMAGES, data.length / IMAGES]),
  );
  const updated = backend.empty('float32', [IMAGES, 4, 4]);
  const params = { images: IMAGES, radius: RADIUS, max_angle: MAX_ANGLE };
  backend.run(poseUpdate, [...inputs, updated], params);
  const result = await backend.download(updated);
  backend.release(...inputs, updated);
  return result;
}

describe.each(devices)('pose-update on %s', (_, backend) => {
  test('is the rule in float64, and keeps rotations', async () => {
    const updated = await run(backend);
    expect(maxAbsoluteError(updated, reference(transposed))).toBeLessThan(2e-6);
    const [first] = [updated.subarray(0, 16)];
    for (const at of [0, 1, 2, 4, 5, 6, 8, 9, 10]) expect(first[at]).toBe(poses[at]);
  });

  test('control: the turn the other way, not transposed, is told apart', async () => {
    const error = maxAbsoluteError(
      await run(backend),
      reference((rotation) => rotation),
    );
    expect(error).toBeGreaterThan(0.5);
  });
});
