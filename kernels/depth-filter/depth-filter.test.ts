import { describe, expect, test } from 'bun:test';
import type { Backend } from '../../src/compute/backend.ts';
import type { UniformValues } from '../../src/compute/kernel.ts';
import { devices } from '../../test/devices.ts';
import { maxAbsoluteError } from '../../test/numbers.ts';
import { expected, floats } from '../render-poses/pose_kernels_fixture.ts';
import { depthFilter, ERODE, SMOOTH } from './kernel.ts';

type Options = Omit<UniformValues<typeof depthFilter.uniforms>, 'width' | 'height'>;

const { depth: packed, cases } = expected.depth_filter;
const [, WIDTH] = packed.shape;
const given = floats(packed);
/** float32's sums of 25 depths of half a metre, against float64. */
const TOLERANCE = 5e-7;

async function run(backend: Backend, depth: Float32Array, options: Options, width = WIDTH) {
  const height = depth.length / width;
  const input = backend.upload(depth, [height, width]);
  const output = backend.empty('float32', [height, width]);
  backend.run(depthFilter, [input, output], { ...options, width, height });
  const filtered = await backend.download(output);
  backend.release(input, output);
  return filtered;
}

describe.each(devices)('depth-filter on %s', (_, backend) => {
  test.each(cases.map((one) => [one.name, one] as const))(
    '%s: the filter of the definition in float64',
    async (_, { options, filtered }) => {
      const result = await run(backend, given, options);
      expect(maxAbsoluteError(result, floats(filtered))).toBeLessThan(TOLERANCE);
    },
  );

  test('control: another radius, share or width is told apart', async () => {
    const [erode, , , smooth] = cases;
    const changes: [(typeof cases)[number], Partial<Options>][] = [
      [erode, { radius: 1 }],
      [erode, { max_bad_share: 0.7 }],
      [smooth, { sigma_space: 1.9 }],
      [smooth, { max_difference: 0.02 }],
    ];
    for (const [{ options, filtered }, change] of changes) {
      const result = await run(backend, given, { ...options, ...change });
      expect(maxAbsoluteError(result, floats(filtered))).toBeGreaterThan(10 * TOLERANCE);
    }
  });

  test('the constants are those of the reference', async () => {
    const [erode, , , smooth] = cases;
    expect(ERODE).toEqual(erode.options as never);
    expect(SMOOTH).toEqual(smooth.options as never);
  });

  test('a flat wall stays as it is, also at its corners; a lone pixel goes, a hole is filled', async () => {
    const wall = new Float32Array(49).fill(1.5);
    expect(await run(backend, wall, ERODE, 7)).toEqual(wall);
    expect(maxAbsoluteError(await run(backend, wall, SMOOTH, 7), wall)).toBe(0);
    wall[24] = 1.6;
    const eroded = await run(backend, wall, ERODE, 7);
    expect(eroded[24]).toBe(0);
    expect(eroded.filter((z) => z === 1.5).length).toBe(48);
    expect((await run(backend, eroded, SMOOTH, 7))[24]).toBe(1.5);
  });

  test('nothing but zeros, one pixel, NaN: no depth comes of them', async () => {
    for (const options of [ERODE, SMOOTH]) {
      expect([...(await run(backend, new Float32Array(6), options, 3))]).toEqual([
        0, 0, 0, 0, 0, 0,
      ]);
      expect([...(await run(backend, Float32Array.of(2), options, 1))]).toEqual([2]);
    }
    const [eroded] = await run(backend, Float32Array.of(Number.NaN, 1, 1, 1), ERODE, 2);
    expect(eroded).toBe(0);
  });
});
