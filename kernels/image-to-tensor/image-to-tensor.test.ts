import { describe, expect, test } from 'bun:test';
import type { Backend } from '../../src/compute/backend.ts';
import { devices } from '../../test/devices.ts';
import { maxAbsoluteError, seeded } from '../../test/numbers.ts';
import { IMAGENET, imageToTensor, normalisation } from './kernel.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

function noise({ width, height }: Size, seed: number): Uint8Array {
  const random = seeded(seed);
  return Uint8Array.from({ length: width * height * 3 }, () => Math.floor(random() * 256));
}

/** The definition in float64, pixel by pixel, with the cubic parameter free for the control. */
function reference(image: Uint8Array, src: Size, dst: Size, cubic: boolean, a = -0.75) {
  const kernel = (x: number) => {
    const d = Math.abs(x);
    if (!cubic) return Math.max(0, 1 - d);
    if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
    return d < 2 ? a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a : 0;
  };
  const clamp = (value: number, length: number) => Math.min(Math.max(value, 0), length - 1);
  const out = new Float64Array(dst.width * dst.height * 3);
  for (let y = 0; y < dst.height; y++) {
    const sy = ((y + 0.5) * src.height) / dst.height - 0.5;
    for (let x = 0; x < dst.width; x++) {
      const sx = ((x + 0.5) * src.width) / dst.width - 0.5;
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let j = Math.floor(sy) - 1; j <= Math.floor(sy) + 2; j++) {
          for (let i = Math.floor(sx) - 1; i <= Math.floor(sx) + 2; i++) {
            const pixel = clamp(j, src.height) * src.width + clamp(i, src.width);
            sum += kernel(sy - j) * kernel(sx - i) * image[pixel * 3 + channel];
          }
        }
        const value = (sum / 255 - IMAGENET.mean[channel]) / IMAGENET.std[channel];
        out[(channel * dst.height + y) * dst.width + x] = value;
      }
    }
  }
  return out;
}

async function run(backend: Backend, image: Uint8Array, src: Size, dst: Size, cubic: boolean) {
  const input = backend.upload(image, [src.height, src.width, 3]);
  // The second slot of a batch of two: the offset must be honoured.
  const output = backend.empty('float32', [2, 3, dst.height, dst.width]);
  const size = dst.width * dst.height * 3;
  backend.run(imageToTensor, [input, output], {
    src_width: src.width,
    src_height: src.height,
    dst_width: dst.width,
    dst_height: dst.height,
    dst_offset: size,
    cubic: cubic ? 1 : 0,
    ...normalisation(IMAGENET),
  });
  const result = await backend.download(output);
  backend.release(input, output);
  return result.subarray(size);
}

const SIZES: readonly [Size, Size][] = [
  [
    { width: 37, height: 23 },
    { width: 70, height: 42 },
  ],
  [
    { width: 101, height: 67 },
    { width: 42, height: 28 },
  ],
  [
    { width: 1, height: 1 },
    { width: 14, height: 14 },
  ],
  [
    { width: 1, height: 50 },
    { width: 14, height: 56 },
  ],
  [
    { width: 28, height: 28 },
    { width: 28, height: 28 },
  ],
];

describe.each(devices)('image-to-tensor on %s', (_, backend) => {
  test.each([true, false])('equals the definition in float64 (cubic: %p)', async (cubic) => {
    for (const [src, dst] of SIZES) {
      const image = noise(src, 7);
      const result = await run(backend, image, src, dst, cubic);
      // float32 weights on noise of full contrast: a few units in the last place of ±10.
      expect(maxAbsoluteError(result, reference(image, src, dst, cubic))).toBeLessThan(2e-5);
    }
  });

  test('control: another cubic parameter is told apart', async () => {
    const [src, dst] = SIZES[0];
    const image = noise(src, 7);
    const result = await run(backend, image, src, dst, true);
    expect(maxAbsoluteError(result, reference(image, src, dst, true, -0.5))).toBeGreaterThan(0.01);
  });

  test('the same size is the identity', async () => {
    const size = { width: 28, height: 42 };
    const image = noise(size, 3);
    const cubic = await run(backend, image, size, size, true);
    const linear = await run(backend, image, size, size, false);
    expect(maxAbsoluteError(cubic, linear)).toBeLessThan(1e-6);
  });
});
