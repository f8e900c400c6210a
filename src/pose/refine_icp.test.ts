import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { devices } from '../../test/devices.ts';
import type { Backend } from '../compute/backend.ts';
import { ellipsoidCloud, observe, poseError, poseOf } from './ellipsoid_fixture.ts';
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
  await refineIcp(backend, cloud, surface, poses, [{ ...ROUND, ...change }]);
  backend.release(surface.xyz, surface.normals, cloud.points, cloud.normals, cloud.frames);
  const errors = STARTS.map((_, at) => poseError(poses.subarray(at * 16, at * 16 + 16), TRUTH));
  return { errors, poses };
}

describe.each(devices)('ICP on %s', (_, backend) => {
  test('finds an analytic ellipsoid from all starts', async () => {
    const { errors } = await refine(backend);
    for (const { angle, distance } of errors) {
      // A pixel is 2 mm wide there, over which the surface curves by some tenths of a millimetre.
      expect(angle).toBeLessThan(0.6);
      expect(distance).toBeLessThan(0.0005);
    }
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
