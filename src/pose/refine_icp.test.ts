import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { devices } from '../../test/devices.ts';
import type { Backend } from '../compute/backend.ts';
import { ellipsoidCloud, observe, poseError, poseOf } from './ellipsoid_fixture.ts';
import { icpUpdate } from './icp_update.ts';
import { type IcpRound, refineIcp } from './refine_icp.ts';

setDefaultTimeout(60_000);

const TRUTH = poseOf([0.4, -0.7, 1.1], [0.012, -0.02, 0.5]);
const STARTS = [
  poseOf([0.4, -0.7, 1.1], [0.012, -0.02, 0.5]),
  poseOf([0.55, -0.6, 1.0], [0.004, -0.012, 0.508]),
  poseOf([0.3, -0.85, 1.25], [0.018, -0.026, 0.492]),
];
const ROUND: IcpRound = { steps: 30, maxDistance: 0.03, minCosine: 0.7, damping: 1e-4 };

async function refine(backend: Backend, change: Partial<IcpRound> = {}) {
  const surface = observe(backend, TRUTH);
  const cloud = ellipsoidCloud(backend, 600);
  const poses = Float32Array.from(STARTS.flatMap((pose) => [...pose]));
  const fit = await refineIcp(backend, cloud, surface, poses, [{ ...ROUND, ...change }]);
  backend.release(surface.xyz, surface.normals, cloud.points, cloud.normals, cloud.frames);
  const errors = STARTS.map((_, at) => poseError(poses.subarray(at * 16, at * 16 + 16), TRUTH));
  return { errors, fit, poses };
}

describe.each(devices)('ICP on %s', (_, backend) => {
  test('finds an analytic ellipsoid from all starts', async () => {
    const { errors, fit } = await refine(backend);
    for (const { angle, distance } of errors) {
      // A pixel is 2 mm wide there, over which the surface curves by some tenths of a millimetre.
      expect(angle).toBeLessThan(0.6);
      expect(distance).toBeLessThan(0.0005);
    }
    expect(Math.min(...fit.counts)).toBeGreaterThan(200);
    expect(Math.max(...fit.residuals)).toBeLessThan(0.0005);
    expect(Math.min(...fit.residuals)).toBeGreaterThan(0);
  });

  test('control: with no step, or gates that let no pair through, poses stay', async () => {
    for (const change of [{ steps: 0 }, { maxDistance: 1e-6 }]) {
      const { errors, poses } = await refine(backend, change);
      expect(errors[1].angle).toBeGreaterThan(8);
      expect(errors[2].distance).toBeGreaterThan(0.01);
      expect(poses.subarray(0, 16)).toEqual(TRUTH);
    }
  });

  test('leaves no tensor behind', async () => {
    await refine(backend);
    const before = backend.memory().usedBytes;
    await refine(backend);
    expect(backend.memory().usedBytes).toBe(before);
  });
});

describe('the update', () => {
  /** Sums of rows (lever, normal) with residuals of the twist. */
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
  const AXES = Array.from({ length: 6 }, (_, i) => Array.from({ length: 6 }, (_, j) => +(i === j)));

  test('turns about the pose’s own translation, by the twist, and stays a rotation', () => {
    const pose = TRUTH.slice();
    const sums = sumsOf(AXES, [0, 0, 0.3, 0, 0, 0]);
    for (let step = 0; step < 1000; step++) icpUpdate(pose, sums, 0);
    expect(pose[3]).toBe(TRUTH[3]);
    // 300 radians about z.
    const turned = poseOf([0.4, -0.7, 1.1 + 300], [0.012, -0.02, 0.5]);
    expect(poseError(pose, turned).angle).toBeLessThan(0.01);
    const [a, b, c] = [0, 4, 8].map((at) => pose.subarray(at, at + 3));
    expect(Math.hypot(...a)).toBeCloseTo(1, 6);
    expect(b[0] * c[0] + b[1] * c[1] + b[2] * c[2]).toBeCloseTo(0, 6);
  });

  test('a plane moves along its normal alone, and too few pairs or NaN move nothing', () => {
    const plane = Array.from({ length: 9 }, (_, i) => [
      (i % 3) - 1,
      Math.floor(i / 3) - 1,
      0,
      0,
      0,
      1,
    ]);
    const pose = TRUTH.slice();
    const sums = sumsOf(plane, [0, 0, 9, 9, 9, 0.02]);
    expect(icpUpdate(pose, sums, 1e-6)).toEqual([true]);
    expect(poseError(pose, TRUTH).angle).toBeLessThan(1e-3);
    expect(pose[11]).toBeCloseTo(0.52, 5);
    expect(pose[3]).toBeCloseTo(0.012, 6);

    const still = TRUTH.slice();
    expect(icpUpdate(still, sumsOf(plane.slice(0, 5), [0, 0, 0, 0, 0, 1]), 1e-6)).toEqual([false]);
    expect(icpUpdate(still, new Float32Array(29).fill(Number.NaN), 1e-6)).toEqual([false]);
    expect(still).toEqual(TRUTH);
  });
});
