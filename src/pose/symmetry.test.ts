import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { poseOf } from './ellipsoid_fixture.ts';
import { type Symmetries, symmetrySet } from './symmetry.ts';

const MESH = { center: [0, 0, 0], diameter: 0.2 } as const;
const QUARTER = [
  [0, -1, 0],
  [1, 0, 0],
  [0, 0, 1],
];
const FLIP = [1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1];

function product(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((_, at) =>
    [0, 1, 2, 3].reduce((sum, k) => sum + a[at - (at % 4) + k] * b[k * 4 + (at % 4)], 0),
  );
}

function isIn(set: readonly Float32Array[], motion: Float32Array): boolean {
  return set.some((one) => one.every((value, at) => Math.abs(value - motion[at]) < 1e-4));
}

/** Whether motions one after another are in the set too. */
function isClosed(set: readonly Float32Array[]): boolean {
  return set.every((a) => set.every((b) => isIn(set, product(a, b))));
}

function place(motion: Float32Array, point: readonly number[]): number[] {
  return [0, 4, 8].map((row) =>
    point.reduce((sum, v, k) => sum + motion[row + k] * v, motion[row + 3]),
  );
}

describe('a symmetry set', () => {
  test('of nothing is the identity', () => {
    const identity = Float32Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1);
    expect(symmetrySet({}, MESH)).toEqual([identity]);
    expect(symmetrySet({ discrete: [[...identity]] }, MESH)).toEqual([identity]);
  });

  test.each([
    ['a quarter turn', { discrete: [QUARTER] }, 4],
    ['a quarter turn and a flip', { discrete: [QUARTER, FLIP] }, 8],
    ['two half turns of a box', { discrete: [FLIP, [-1, 0, 0, 0, -1, 0, 0, 0, 1]] }, 4],
    ['a round axis', { continuous: [{ axis: [0, 0, 2] }] }, 72],
    ['a round axis and a flip', { discrete: [FLIP], continuous: [{ axis: [0, 0, 1] }] }, 144],
  ] satisfies [string, Symmetries, number][])('of %s is a group', (_, symmetries, count) => {
    const set = symmetrySet(symmetries, MESH);
    expect(set).toHaveLength(count);
    expect(isClosed(set)).toBe(true);
  });

  test('about any axis keeps its points, and every distance', () => {
    const number = fc.double({ min: -1, max: 1, noNaN: true });
    const vector = fc.tuple(number, number, number);
    fc.assert(
      fc.property(vector, vector, vector, (axis, offset, point) => {
        fc.pre(Math.hypot(...axis) > 0.1);
        const set = symmetrySet(
          { continuous: [{ axis, offset }] },
          { center: offset, diameter: 1 },
        );
        const on = axis.map((value, k) => offset[k] + 0.7 * value);
        const far = Math.hypot(...point.map((value, k) => value - on[k]));
        for (const motion of set) {
          place(motion, on).forEach((value, k) => {
            expect(value).toBeCloseTo(on[k], 5);
          });
          const moved = place(motion, point).map((value, k) => value - on[k]);
          expect(Math.hypot(...moved)).toBeCloseTo(far, 5);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('turns by 5° from one to the next', () => {
    const set = symmetrySet({ continuous: [{ axis: [0, 3, 0], offset: [0.01, 0, 0.02] }] }, MESH);
    const [, first] = set;
    const turn = poseOf([0, Math.PI / 36, 0], [0, 0, 0]);
    [0, 1, 2, 4, 5, 6, 8, 9, 10].forEach((at) => {
      expect(first[at]).toBeCloseTo(turn[at], 6);
    });
    expect(isClosed(set)).toBe(true);
  });

  // Of models_info.json of LINEMOD, in metres.
  test.each([
    [
      'egg box',
      [
        [-0.999964, -0.00333777, -0.0077452, 0.000232611],
        [0.00321462, -0.999869, 0.0158593, 0.000694388],
        [-0.00779712, 0.0158338, 0.999844, -0.0000792063],
        [0, 0, 0, 1],
      ],
      0.1646,
    ],
    [
      'glue',
      [
        [-0.999633, 0.026679, 0.00479336, -0.000262139],
        [-0.0266744, -0.999644, 0.00100504, -0.000197966],
        [0.00481847, 0.000876815, 0.999988, 0.0000321652],
        [0, 0, 0, 1],
      ],
      0.1759,
    ],
  ])('of BOP’s %s, whose half turn is measured, has two motions', (_, half, diameter) => {
    const set = symmetrySet({ discrete: [half] }, { center: [0, 0, 0], diameter });
    expect(set).toHaveLength(2);
    half.flat().forEach((value, at) => {
      expect(set[1][at]).toBeCloseTo(value, 4);
    });
  });

  const rows = [0, 0, 0, 1];
  test.each([
    ['scale', { discrete: [FLIP.map((v) => v * 2)] }, 'discrete[0] has the last row [0, 0, 0, 2]'],
    [
      'no rotation',
      { discrete: [FLIP, [1, 0, 0, 0, 1, 0.1, 0, 0, 1]] },
      'discrete[1] is no rotation',
    ],
    ['a mirror', { discrete: [[-1, 0, 0, 0, 1, 0, 0, 0, 1]] }, 'discrete[0] is a mirror image'],
    ['length', { discrete: [[1, 2, 3]] }, 'discrete[0] has 3 numbers; expected 16'],
    [
      'NaN',
      { discrete: [FLIP.map(() => Number.NaN)] },
      'discrete[0] has a number that is not finite',
    ],
    [
      'zero axis',
      { continuous: [{ axis: [0, 0, 0] }] },
      'continuous[0].axis is [0, 0, 0]; expected',
    ],
    [
      'axis of two',
      { continuous: [{ axis: [0, 1] }] },
      'continuous[0].axis is [0, 1]; expected three',
    ],
    ['offset', { continuous: [{ axis: [1, 0, 0], offset: [1] }] }, 'continuous[0].offset is [1];'],
    [
      'millimetres',
      { discrete: [[1, 0, 0, 0, 0, -1, 0, 30, 0, 0, -1, 0, ...rows]] },
      'discrete[0] moves the middle of the mesh by 30.0 m, more than its diameter of 0.200 m',
    ],
    [
      'an offset in millimetres',
      { continuous: [{ axis: [1, 0, 0], offset: [0, 30, 0] }] },
      'continuous[0] moves the middle of the mesh by',
    ],
    [
      'turns that never end',
      { discrete: [turnOf(1), FLIP, turnOf(Math.SQRT2)], continuous: [{ axis: [0, 0, 1] }] },
      'the symmetries make more than 720 motions',
    ],
    ['many', { continuous: new Array(11).fill({ axis: [0, 0, 1] }) }, 'more than 720 motions'],
  ] satisfies [string, Symmetries, string][])('refuses %s', (_, symmetries, message) => {
    expect(() => symmetrySet(symmetries, MESH)).toThrow(message);
  });
});

function turnOf(angle: number): number[] {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return [c, 0, s, 0, 1, 0, -s, 0, c];
}
