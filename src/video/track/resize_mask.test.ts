import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { maxAbsoluteError, seeded } from '../../../test/numbers.ts';
import { resizeAntialiased } from './resize_mask.ts';

// torch 2.13: F.interpolate(torch.arange(12.).reshape(1, 1, 3, 4) ** 2, (height, width),
// mode='bilinear', align_corners=False, antialias=True)
const TORCH_CASES = [
  { width: 3, height: 2, expected: [7.2, 13.0, 21.6, 50.2, 68.0, 88.6] },
  { width: 2, height: 1, expected: [31.8571, 49.1429] },
  {
    width: 7,
    height: 5,
    expected: [
      0.0, 0.3571, 0.9286, 2.5, 4.3571, 7.2143, 9.0, 6.4, 7.9, 10.3, 13.7, 17.3857, 22.0714, 25.0,
      16.0, 19.2143, 24.3571, 30.5, 36.9286, 44.3571, 49.0, 44.8, 49.7286, 57.6143, 66.5, 75.6714,
      85.8429, 92.2, 64.0, 70.0714, 79.7857, 90.5, 101.5, 113.5, 121.0,
    ],
  },
  {
    width: 6,
    height: 2,
    expected: [6.0, 8.0, 11.0, 15.0, 20.0, 24.0, 46.0, 53.0, 62.6667, 73.3333, 85.0, 94.0],
  },
];

const size = (width: number, height: number) => ({ width, height });

describe('antialiased resizing', () => {
  test.each(TORCH_CASES)('to $width by $height is that of torch', ({ width, height, expected }) => {
    const values = Float32Array.from({ length: 12 }, (_, i) => i * i);
    const resized = resizeAntialiased(values, size(4, 3), size(width, height));
    expect(maxAbsoluteError(resized, expected)).toBeLessThan(1e-4);
  });

  test('to the same size changes nothing; a constant stays', () => {
    const random = seeded(4);
    const values = Float32Array.from({ length: 35 }, random);
    expect(resizeAntialiased(values, size(7, 5), size(7, 5))).toEqual(values);
    const sides = fc.integer({ min: 1, max: 30 });
    fc.assert(
      fc.property(sides, sides, sides, sides, (width, height, toWidth, toHeight) => {
        const flat = new Float32Array(width * height).fill(0.25);
        const resized = resizeAntialiased(flat, size(width, height), size(toWidth, toHeight));
        for (const value of resized) expect(value).toBeCloseTo(0.25, 6);
      }),
    );
  });
});
