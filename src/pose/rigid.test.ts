import { expect, test } from 'bun:test';
import { madeRigid, rigidProblem } from './rigid.ts';
import { startRotations } from './viewpoints.ts';

/** A rotation at a place, its numbers to three digits. */
function rounded(rotation: Float64Array): number[] {
  const at = (row: number) => [...rotation.subarray(row * 3, row * 3 + 3), row / 10];
  return [...at(0), ...at(1), ...at(2), 0, 0, 0, 1].map((value) => Number(value.toFixed(3)));
}

test('makes poses of few digits rigid, and hardly moves them', () => {
  const given = startRotations().map(rounded);
  expect(given.some((pose) => rigidProblem(pose, 1e-4) !== null)).toBe(true);
  for (const pose of given) {
    const made = madeRigid(pose);
    expect(rigidProblem(made, 1e-6)).toBeNull();
    made.forEach((value, at) => {
      expect(Math.abs(value - pose[at])).toBeLessThan(3e-3);
    });
  }
});

test('makes the last row exact, and keeps the place', () => {
  const pose = madeRigid([1, 0, 0, 0.25, 0, 1, 0, -0.5, 0, 0, 1, 2, 1e-3, 0, 0, 1.001]);
  expect([...pose]).toEqual([1, 0, 0, 0.25, 0, 1, 0, -0.5, 0, 0, 1, 2, 0, 0, 0, 1]);
});
