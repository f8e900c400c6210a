import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import type { Backend } from '../../src/compute/backend.ts';
import { poseError, poseOf } from '../../src/pose/ellipsoid_fixture.ts';
import { devices } from '../../test/devices.ts';
import { maxAbsoluteError } from '../../test/numbers.ts';
import { refined } from '../icp-step/pose_refine_fixture.ts';
import { floats } from '../render-poses/pose_kernels_fixture.ts';
import { icpSolve } from './kernel.ts';

setDefaultTimeout(60_000);

const { icp } = refined;
const POSE = poseOf([0.4, -0.7, 1.1], [0.012, -0.02, 0.5]);
/** What a lever of a metre and a direction add to the sums. */
const AXES = Array.from({ length: 6 }, (_, i) => Array.from({ length: 6 }, (_, j) => +(i === j)));

/** Poses after some steps with the same sums. */
async function solve(
  backend: Backend,
  sums: Float32Array,
  poses: Float32Array,
  damping: number,
  steps = 1,
): Promise<Float32Array> {
  const count = poses.length / 16;
  const tensors = [backend.upload(sums, [count, 29]), backend.upload(poses, [count, 4, 4])];
  for (let step = 0; step < steps; step++) {
    backend.run(icpSolve, tensors, { poses: count, damping });
  }
  const moved = await backend.download(tensors[1]);
  backend.release(...tensors);
  return moved as Float32Array;
}

/** Sums of rows (lever × normal, normal) with the residuals of a twist. */
function sumsOf(rows: readonly number[][], twist: readonly number[]): Float32Array {
  const sums = new Float32Array(29);
  for (const row of rows) {
    const residual = row.reduce((sum, value, at) => sum + value * twist[at], 0);
    let cell = 0;
    for (let i = 0; i < 6; i++) {
      for (let j = i; j < 6; j++) sums[cell++] += row[i] * row[j];
      sums[21 + i] += row[i] * residual;
    }
    sums[27] += residual * residual;
    sums[28]++;
  }
  return sums;
}

const cases = icp.cases.map((one) => [one.name, one] as const);

describe.each(devices)('icp-solve on %s', (_, backend) => {
  test.each(cases)('%s: a step is that of SciPy’s matrix exponential', async (_, one) => {
    const poses = await solve(backend, floats(one.sums), floats(icp.poses), icp.damping);
    expect(maxAbsoluteError(poses, floats(one.stepped))).toBeLessThan(3e-5);
    expect(maxAbsoluteError(poses, floats(icp.poses))).toBeGreaterThan(0.01);
    // Poses beside the image and behind it have no pair.
    expect(poses.subarray(48)).toEqual(floats(icp.poses).subarray(48));
    // Control: another damping gives another step.
    const damped = await solve(backend, floats(one.sums), floats(icp.poses), icp.damping * 10);
    expect(maxAbsoluteError(damped, floats(one.stepped))).toBeGreaterThan(1e-4);
  });

  test('turns about the pose’s own translation, by the twist, and stays a rotation', async () => {
    const pose = await solve(backend, sumsOf(AXES, [0, 0, 0.3, 0, 0, 0]), POSE, 0, 100);
    expect(pose[3]).toBe(POSE[3]);
    // 30 radians about z.
    const turned = poseOf([0.4, -0.7, 1.1 + 30], [0.012, -0.02, 0.5]);
    expect(poseError(pose, turned).angle).toBeLessThan(0.01);
    const [a, b, c] = [0, 4, 8].map((at) => pose.subarray(at, at + 3));
    expect(Math.hypot(...a)).toBeCloseTo(1, 6);
    expect(b[0] * c[0] + b[1] * c[1] + b[2] * c[2]).toBeCloseTo(0, 6);
  });

  test('a small turn and a large one move as the twist says', async () => {
    for (const angle of [1e-5, 0.05, 0.2, 2, 2.9]) {
      const moved = await solve(backend, sumsOf(AXES, [0, 0, angle, 0.1, 0, 0]), POSE, 0);
      const turned = poseOf([0.4, -0.7, 1.1 + angle], [0.012, -0.02, 0.5]);
      expect(poseError(moved, turned).angle).toBeLessThan(1e-3);
      // The path of a constant velocity that turns along: V(ω)·v.
      expect(moved[3] - POSE[3]).toBeCloseTo((0.1 * Math.sin(angle)) / angle, 5);
      expect(moved[7] - POSE[7]).toBeCloseTo((0.1 * (1 - Math.cos(angle))) / angle, 5);
    }
  });

  test('turns by 3 radians at most', async () => {
    const moved = await solve(backend, sumsOf(AXES, [0, 0, 12, 0, 0, 0.4]), POSE, 0);
    expect(poseError(moved, poseOf([0.4, -0.7, 1.1 + 3], [0, 0, 0])).angle).toBeLessThan(1e-3);
    expect(moved[11]).toBeCloseTo(POSE[11] + 0.1, 5);
  });

  test('a plane moves along its normal alone, and too few pairs or NaN move nothing', async () => {
    const plane = Array.from({ length: 9 }, (_, i) => [
      ...[(i % 3) - 1, Math.floor(i / 3) - 1, 0],
      ...[0, 0, 1],
    ]);
    const pose = await solve(backend, sumsOf(plane, [0, 0, 9, 9, 9, 0.02]), POSE, 1e-4);
    expect(poseError(pose, POSE).angle).toBeLessThan(1e-3);
    expect(pose[11]).toBeCloseTo(0.52, 5);
    expect(pose[3]).toBeCloseTo(0.012, 6);
    const few = sumsOf(plane.slice(0, 5), [0, 0, 0, 0, 0, 1]);
    const nothing = new Float32Array(29).fill(Number.NaN);
    for (const sums of [few, nothing]) {
      expect(await solve(backend, sums, POSE, 1e-4)).toEqual(POSE);
    }
  });
});
