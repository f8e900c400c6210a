import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { cameraOf } from './camera.ts';

const rows = (fx: number, fy: number, cx: number, cy: number) => [
  [fx, 0, cx],
  [0, fy, cy],
  [0, 0, 1],
];

describe('a camera', () => {
  test('is the four numbers of its matrix', () => {
    const focal = fc.double({ min: 1, max: 1e5, noNaN: true });
    const point = fc.double({ min: -1e5, max: 1e5, noNaN: true });
    fc.assert(
      fc.property(focal, focal, point, point, (fx, fy, cx, cy) => {
        expect(cameraOf(rows(fx, fy, cx, cy), 'K')).toEqual({ fx, fy, cx, cy });
      }),
    );
  });

  test.each<[string, number[][], RegExp]>([
    ['4×4', [...rows(9, 9, 1, 1), [0, 0, 0]], /^K: given 4×3 numbers; expected \[\[fx/],
    ['empty', [], /^K: given 0×/],
    [
      'ragged',
      [
        [9, 0, 1],
        [0, 9],
        [0, 0, 1],
      ],
      /^K: given 3×3 or 2/,
    ],
    ['singular', rows(0, 9, 1, 1), /^K: it is singular/],
    ['NaN', rows(Number.NaN, 9, 1, 1), /^K: a number is not finite/],
    ['infinite', rows(9, 9, Number.POSITIVE_INFINITY, 1), /^K: a number is not finite/],
    ['mirrored', rows(9, -9, 1, 1), /^K: its focal lengths are 9 and -9/],
    ['scaled', rows(18, 18, 2, 2).map((row) => row.map((v) => (v === 1 ? 2 : v))), /last row/],
    [
      'with skew',
      [
        [9, 0.1, 1],
        [0, 9, 1],
        [0, 0, 1],
      ],
      /^K: its skew is 0\.1 and 0/,
    ],
  ])('%s is refused', (_, matrix, message) => {
    expect(() => cameraOf(matrix, 'K')).toThrow(RangeError);
    expect(() => cameraOf(matrix, 'K')).toThrow(message);
  });
});
