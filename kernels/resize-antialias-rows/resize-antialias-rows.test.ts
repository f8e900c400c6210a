import { describe, expect, test } from 'bun:test';
import type { Backend } from '../../src/compute/backend.ts';
import { devices } from '../../test/devices.ts';
import { maxAbsoluteError, seeded } from '../../test/numbers.ts';
import { antialiasFilter } from './filter.ts';
import { resizeAntialiasRows } from './kernel.ts';

/** Width, its result, height. */
const SIZES = [
  [37, 64, 5],
  [101, 42, 3],
  [1, 9, 4],
  [9, 1, 4],
  [24, 24, 3],
  [2000, 13, 2],
] as const;

/** Half a level, and the weights' rounding: 2⁻¹⁵ of the largest each, of 255. */
const ROUNDING = 0.52;

function noise(width: number, height: number): Uint8Array {
  const random = seeded(5);
  return Uint8Array.from({ length: width * height * 3 }, () => Math.floor(random() * 256));
}

/** The definition in float64: every input weighed by a triangle around the output's centre. */
function reference(
  image: Uint8Array,
  src: number,
  dst: number,
  height: number,
  antialias = true,
): Float64Array {
  const width = antialias ? Math.max(src / dst, 1) : 1;
  const out = new Float64Array(height * dst * 3);
  for (let x = 0; x < dst; x++) {
    const centre = ((x + 0.5) * src) / dst - 0.5;
    const weights = Array.from({ length: src }, (_, i) =>
      Math.max(0, 1 - Math.abs(i - centre) / width),
    );
    const total = weights.reduce((sum, weight) => sum + weight);
    for (let y = 0; y < height; y++) {
      for (let channel = 0; channel < 3; channel++) {
        const sum = weights.reduce(
          (sum, weight, i) => sum + weight * image[(y * src + i) * 3 + channel],
          0,
        );
        out[(y * dst + x) * 3 + channel] = sum / total;
      }
    }
  }
  return out;
}

async function run(backend: Backend, image: Uint8Array, src: number, dst: number, height: number) {
  const { starts, weights, taps, fractionBits } = antialiasFilter(src, dst);
  const tensors = [
    backend.upload(image, [height, src, 3]),
    backend.upload(starts, [dst]),
    backend.upload(weights, [dst, taps]),
  ];
  const levels = backend.empty('uint32', [height, dst]);
  backend.run(resizeAntialiasRows, [...tensors, levels], {
    src_width: src,
    dst_width: dst,
    height,
    taps,
    fraction_bits: fractionBits,
  });
  const packed = await backend.download(levels);
  backend.release(...tensors, levels);
  return [...packed].flatMap((pixel) => [pixel & 255, (pixel >> 8) & 255, pixel >>> 16]);
}

describe.each(devices)('resize-antialias-rows on %s', (_, backend) => {
  test.each(SIZES)('%p to %p, %p rows: the definition, rounded', async (src, dst, height) => {
    const image = noise(src, height);
    const levels = await run(backend, image, src, dst, height);
    expect(levels.every((level) => level <= 255)).toBe(true);
    expect(maxAbsoluteError(levels, reference(image, src, dst, height))).toBeLessThan(ROUNDING);
  });

  test('control: without antialiasing a reduction is told apart', async () => {
    const [src, dst, height] = SIZES[1];
    const image = noise(src, height);
    const levels = await run(backend, image, src, dst, height);
    const plain = reference(image, src, dst, height, false);
    expect(maxAbsoluteError(levels, plain)).toBeGreaterThan(20);
  });

  test('the same width is the identity', async () => {
    const image = noise(24, 3);
    expect(await run(backend, image, 24, 24, 3)).toEqual([...image]);
  });
});

describe('antialiasFilter', () => {
  const axes = [1, 2, 3, 14, 100, 126, 1008, 1023].flatMap((dst) =>
    [1, 2, 5, 63, 640, 1008, 4000].map((src) => [src, dst] as const),
  );

  test('each output’s weights lie within the axis and add up to 1', () => {
    for (const [src, dst] of axes) {
      const { starts, weights, taps, fractionBits } = antialiasFilter(src, dst);
      const unit = 2 ** fractionBits;
      for (let d = 0; d < dst; d++) {
        expect(starts[d] + taps).toBeLessThanOrEqual(src);
        const sum = weights.subarray(d * taps, (d + 1) * taps).reduce((a, b) => a + b, 0);
        // A white picture must stay white: its sum may be off by less than half a level.
        expect(Math.abs(sum - unit)).toBeLessThanOrEqual(taps / 2);
        expect(255 * Math.abs(sum - unit)).toBeLessThan(unit / 2);
      }
    }
  });

  test('the largest weight takes 15 bits', () => {
    for (const [src, dst] of axes) {
      const { weights, fractionBits } = antialiasFilter(src, dst);
      const largest = weights.reduce((a, b) => Math.max(a, b), 0);
      expect(largest).toBeLessThan(2 ** 15);
      if (fractionBits < 22) expect(largest).toBeGreaterThanOrEqual(2 ** 14 - 1);
    }
  });

  test('what is no length, or too large a reduction, is refused', () => {
    for (const [src, dst] of [
      [0, 4],
      [4, 0],
      [1.5, 4],
      [4, Number.NaN],
      [8193, 1],
    ]) {
      expect(() => antialiasFilter(src, dst)).toThrow(`an axis of ${src} resized to ${dst}`);
    }
    const { weights, taps, fractionBits } = antialiasFilter(8192, 1);
    const sum = weights.reduce((a, b) => a + b, 0);
    expect([taps, fractionBits]).toEqual([8192, 22]);
    expect(255 * Math.abs(sum - 2 ** 22)).toBeLessThan(2 ** 21);
  });
});
