import { expect, test } from 'bun:test';
import { isValidDepth, maskedDepths } from './valid_depth.ts';

test('depth counts from a millimetre to below 100 m, in float32 too', () => {
  const values = [0.001, Math.fround(0.001), 1, 99.9];
  expect(values.map(isValidDepth)).toEqual([true, true, true, true]);
  const others = [0, -1, 0.0009, 100, 900, Number.NaN, Number.POSITIVE_INFINITY];
  expect(others.filter(isValidDepth)).toEqual([]);
});

test('a mask’s box has all of its pixels, its depths are the valid ones', () => {
  const depth = Float32Array.of(1, 2, 0, 900, 3, 4, 5, 6);
  const mask = Uint8Array.of(0, 255, 255, 255, 0, 1, 1, 1);
  expect(maskedDepths(depth, mask, 4)).toEqual({
    box: { left: 1, top: 0, right: 3, bottom: 1 },
    depths: [2, 4, 5, 6],
  });
  const millimetres = depth.map((z) => z * 1000);
  expect(() => maskedDepths(millimetres, mask, 4)).toThrow(
    "the mask has 0 pixels with a depth from 0.001 to 100 m; expected at least 4: check the depth's scale",
  );
});
