import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import type { Backend } from '../../src/compute/backend.ts';
import { devices } from '../../test/devices.ts';
import { maxAbsoluteError } from '../../test/numbers.ts';
import { floats } from '../render-poses/pose_kernels_fixture.ts';
import { icpStep } from './kernel.ts';
import { type IcpCase, refined } from './pose_refine_fixture.ts';

setDefaultTimeout(60_000);

const { icp } = refined;
const [HEIGHT, WIDTH] = icp.observed.shape;
const POSES = icp.poses.shape[0];

interface Change {
  readonly cx?: number;
  readonly max_distance?: number;
  readonly min_cosine?: number;
  readonly sets?: number;
}

async function run(backend: Backend, one: IcpCase, change: Change = {}): Promise<Float32Array> {
  const { points, normals, frames } = one;
  const { observed, observed_normals } = icp;
  const inputs = [points, normals, frames, icp.poses, observed, observed_normals].map((packed) =>
    backend.upload(floats(packed), packed.shape),
  );
  const output = backend.upload(new Float32Array(POSES * 29).fill(-7), [POSES, 29]);
  backend.run(icpStep, [...inputs, output], {
    poses: POSES,
    sets: one.sets,
    points: points.shape[1],
    width: WIDTH,
    height: HEIGHT,
    ...icp.lens,
    ...icp.gates,
    ...change,
  });
  const sums = await backend.download(output);
  backend.release(...inputs, output);
  return sums as Float32Array;
}

/** The largest error, as a share of what was added up, signs aside. */
function relativeError(sums: Float32Array, one: IcpCase): number {
  const scales = floats(one.scales);
  const share = (values: Float32Array) =>
    values.map((value, at) => (scales[at] === 0 ? value : value / scales[at]));
  return maxAbsoluteError(share(sums), share(floats(one.sums)));
}

const cases = icp.cases.map((one) => [one.name, one] as const);

describe.each(devices)('icp-step on %s', (_, backend) => {
  test.each(cases)('%s: the sums of the definition in float64', async (_, one) => {
    const sums = await run(backend, one);
    // A residual is the difference of coordinates of half a metre.
    expect(relativeError(sums, one)).toBeLessThan(2e-5);
    const counts = (values: Float32Array) => [...values.filter((_, at) => at % 29 === 28)];
    expect(counts(sums)).toEqual(counts(floats(one.sums)));
    expect(
      counts(sums)
        .slice(0, 3)
        .every((count) => count > 10),
    ).toBe(true);
    expect(await run(backend, one)).toEqual(sums);
  });

  test.each(cases)('%s: poses beside the image and behind it have no pair', async (_, one) => {
    const sums = await run(backend, one);
    expect([...sums.subarray(3 * 29)].every((value) => value === 0)).toBe(true);
  });

  test.each(cases)('control, %s: another camera and wider gates are told apart', async (_, one) => {
    for (const change of [{ cx: icp.lens.cx + 0.5 }, { max_distance: 0.03 }, { min_cosine: 0.5 }]) {
      expect(relativeError(await run(backend, one, change), one)).toBeGreaterThan(0.01);
    }
  });
});
