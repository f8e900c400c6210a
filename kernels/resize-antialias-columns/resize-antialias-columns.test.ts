import { describe, expect, test } from 'bun:test';
import type { Backend } from '../../src/compute/backend.ts';
import { devices } from '../../test/devices.ts';
import { maxAbsoluteError, seeded } from '../../test/numbers.ts';
import { IMAGENET, normalisation, type Rgb } from '../image-to-tensor/kernel.ts';
import { antialiasFilter } from '../resize-antialias-rows/filter.ts';
import { resizeAntialiasColumns } from './kernel.ts';

/** Height, its result, width. */
const SIZES = [
  [23, 64, 5],
  [67, 42, 3],
  [1, 9, 20],
  [9, 1, 20],
  [1500, 13, 2],
] as const;

const LEVELS = { mean: [0, 0, 0] as Rgb, std: [1 / 255, 1 / 255, 1 / 255] as Rgb };

/** uint8 [height, width, 3]. */
function noise(width: number, height: number): Uint8Array {
  const random = seeded(6);
  return Uint8Array.from({ length: width * height * 3 }, () => Math.floor(random() * 256));
}

/** The definition in float64: [3, dst, width], not rounded; `widest` 1 does not antialias. */
function reference(
  image: Uint8Array,
  src: number,
  dst: number,
  width: number,
  widest = src / dst,
): Float64Array {
  const out = new Float64Array(3 * dst * width);
  for (let y = 0; y < dst; y++) {
    const centre = ((y + 0.5) * src) / dst - 0.5;
    const weights = Array.from({ length: src }, (_, i) =>
      Math.max(0, 1 - Math.abs(i - centre) / Math.max(widest, 1)),
    );
    const total = weights.reduce((sum, weight) => sum + weight);
    for (let at = 0; at < width * 3; at++) {
      const sum = weights.reduce((sum, weight, i) => sum + weight * image[i * width * 3 + at], 0);
      out[((at % 3) * dst + y) * width + Math.floor(at / 3)] = sum / total;
    }
  }
  return out;
}

async function run(
  backend: Backend,
  image: Uint8Array,
  [src, dst, width]: readonly [number, number, number],
  statistics = LEVELS,
) {
  const { starts, weights, taps, fractionBits } = antialiasFilter(src, dst);
  const packed = Uint32Array.from(
    { length: src * width },
    (_, i) => image[3 * i] | (image[3 * i + 1] << 8) | (image[3 * i + 2] << 16),
  );
  const tensors = [
    backend.upload(packed, [src, width]),
    backend.upload(starts, [dst]),
    backend.upload(weights, [dst, taps]),
  ];
  const tensor = backend.empty('float32', [3, dst, width]);
  backend.run(resizeAntialiasColumns, [...tensors, tensor], {
    width,
    dst_height: dst,
    taps,
    fraction_bits: fractionBits,
    ...normalisation(statistics),
  });
  const values = await backend.download(tensor);
  backend.release(...tensors, tensor);
  return values;
}

describe.each(devices)('resize-antialias-columns on %s', (_, backend) => {
  test.each(SIZES)('%p to %p, %p columns: the definition, rounded', async (src, dst, width) => {
    const image = noise(width, src);
    const levels = await run(backend, image, [src, dst, width]);
    expect(levels.every(Number.isInteger)).toBe(true);
    // Half a level, and the rounding of the weights.
    expect(maxAbsoluteError(levels, reference(image, src, dst, width))).toBeLessThan(0.52);
  });

  test('control: without antialiasing a reduction is told apart', async () => {
    const [src, dst, width] = SIZES[1];
    const image = noise(width, src);
    const levels = await run(backend, image, [src, dst, width]);
    const plain = reference(image, src, dst, width, 1);
    expect(maxAbsoluteError(levels, plain)).toBeGreaterThan(20);
  });

  test('each channel has its own mean and deviation', async () => {
    const size = [23, 64, 5] as const;
    const image = noise(5, 23);
    const levels = await run(backend, image, size);
    const expected = [...levels].map((level, i) => {
      const channel = Math.floor(i / (64 * 5));
      return (level / 255 - IMAGENET.mean[channel]) / IMAGENET.std[channel];
    });
    expect(maxAbsoluteError(await run(backend, image, size, IMAGENET), expected)).toBeLessThan(
      2e-6,
    );
  });
});
