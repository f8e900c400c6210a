import { describe, expect, test } from 'bun:test';
import type { Backend } from '../../src/compute/backend.ts';
import type { TypedArray } from '../../src/compute/tensor.ts';
import { devices } from '../../test/devices.ts';
import { maxAbsoluteError } from '../../test/numbers.ts';
import { expected, floats, unpack } from '../render-poses/pose_kernels_fixture.ts';
import { cropWarp } from './kernel.ts';

const fixture = expected.crop_warp;
const [SRC_HEIGHT, SRC_WIDTH] = fixture.image.shape;
const [IMAGES, HEIGHT, WIDTH] = fixture.rgb.shape;
const image = unpack(fixture.image) as Uint8Array;
const points = floats(fixture.points);

interface Options {
  readonly transforms?: Float32Array;
  readonly colored?: number;
  readonly width?: number;
  readonly height?: number;
}

async function run(backend: Backend, options: Options = {}) {
  const { transforms = floats(fixture.transforms), colored = 1 } = options;
  const { width = WIDTH, height = HEIGHT } = options;
  const images = transforms.length / 9;
  const inputs = [image, points, transforms].map((data) =>
    backend.upload(data as TypedArray, [data.length]),
  );
  const size = images * height * width * 3;
  const outputs = [0, 1].map(() => backend.upload(new Float32Array(size).fill(-7), [size]));
  backend.run(cropWarp, [...inputs, ...outputs], {
    src_width: SRC_WIDTH,
    src_height: SRC_HEIGHT,
    dst_width: width,
    dst_height: height,
    images,
    colored,
  });
  const [rgb, xyz] = (await Promise.all(
    outputs.map((tensor) => backend.download(tensor)),
  )) as Float32Array[];
  backend.release(...inputs, ...outputs);
  return { rgb, xyz };
}

/** Largest error of colours, and points of another pixel where the nearest is not in doubt. */
function compare({ rgb, xyz }: { rgb: Float32Array; xyz: Float32Array }) {
  const reference = floats(fixture.xyz);
  const doubtful = unpack(fixture.doubtful);
  let wrong = 0;
  reference.forEach((value, at) => {
    if (!doubtful[Math.floor(at / 3)]) wrong += Number(xyz[at] !== value);
  });
  return { color: maxAbsoluteError(rgb, floats(fixture.rgb)), wrong };
}

describe.each(devices)('crop-warp on %s', (_, backend) => {
  test('crops inside, across borders, turned and in perspective are those of SciPy', async () => {
    const { color, wrong } = compare(await run(backend));
    expect(wrong).toBe(0);
    // A position has 24 bits, and neighbours differ by up to 1.
    expect(color).toBeLessThan(2e-5);
    expect(unpack(fixture.doubtful).filter((value) => value === 1).length).toBeLessThan(
      IMAGES * HEIGHT * WIDTH * 0.01,
    );
  });

  test('control: half a pixel, and a transform the wrong way round, are told apart', async () => {
    const transforms = floats(fixture.transforms);
    const shifted = transforms.map((value, at) => (at % 9 === 2 ? value + 0.5 : value));
    const moved = compare(await run(backend, { transforms: shifted }));
    expect(moved.color).toBeGreaterThan(0.05);
    expect(moved.wrong).toBeGreaterThan(500);
    const turned = transforms.map(
      (_, at) => transforms[at - (at % 9) + [0, 3, 6, 1, 4, 7, 2, 5, 8][at % 9]],
    );
    expect(compare(await run(backend, { transforms: turned })).wrong).toBeGreaterThan(500);
  });

  test('the identity gives the image and its points back', async () => {
    const transforms = Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
    const whole = { transforms, width: SRC_WIDTH, height: SRC_HEIGHT };
    const { rgb, xyz } = await run(backend, whole);
    expect(xyz).toEqual(points);
    expect(Array.from(rgb, (value) => Math.round(value * 255))).toEqual([...image]);
  });

  test('a transform to nowhere gives zeros, and colours that are not wanted stay', async () => {
    for (const transforms of [
      new Float32Array(9),
      new Float32Array(9).fill(Number.NaN),
      Float32Array.of(1, 0, 1e30, 0, 1, -1e30, 0, 0, 1),
    ]) {
      const { rgb, xyz } = await run(backend, { transforms });
      expect([...rgb, ...xyz].every((value) => value === 0)).toBe(true);
    }
    const { rgb } = await run(backend, { colored: 0 });
    expect(rgb.every((value) => value === -7)).toBe(true);
  });
});
