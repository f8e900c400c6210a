import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { poseError, poseOf } from './ellipsoid_fixture.ts';
import { aboutCenter, centered, isNearAny, uncentered } from './symmetric_poses.ts';
import { symmetrySet } from './symmetry.ts';

const CENTER = [0.03, -0.02, 0.05] as const;
const BOX = { center: CENTER, diameter: 0.2 };
/** Half turns about three axes through the centre, and the identity. */
const HALF_TURNS = symmetrySet(
  {
    discrete: [
      [-1, 0, 0, 2 * CENTER[0], 0, -1, 0, 2 * CENTER[1], 0, 0, 1, 0, 0, 0, 0, 1],
      [1, 0, 0, 0, 0, -1, 0, 2 * CENTER[1], 0, 0, -1, 2 * CENTER[2], 0, 0, 0, 1],
    ],
  },
  BOX,
);
const NEAR = { angle: 0.2, distance: 0.01 };

const angle = fc.double({ min: -3, max: 3, noNaN: true });
const length = fc.double({ min: -0.5, max: 0.5, noNaN: true });
const pose = fc
  .tuple(fc.tuple(angle, angle, angle), fc.tuple(length, length, length))
  .map(([turn, place]) => poseOf(turn, place));

/** a·b of two [4, 4]. */
function product(a: Float32Array, b: Float32Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(a, (_, at) =>
    [0, 1, 2, 3].reduce((sum, k) => sum + a[at - (at % 4) + k] * b[k * 4 + (at % 4)], 0),
  );
}

describe('symmetric poses', () => {
  test('a centre is moved to the origin and back', () => {
    fc.assert(
      fc.property(pose, (own) => {
        const there = centered(own, CENTER);
        const middle = [3, 7, 11].map((at) =>
          CENTER.reduce((sum, value, k) => sum + own[at - 3 + k] * value, own[at]),
        );
        middle.forEach((value, k) => {
          expect(there[k * 4 + 3]).toBeCloseTo(value, 6);
        });
        expect(poseError(uncentered(there, CENTER), own).distance).toBeLessThan(1e-6);
      }),
    );
  });

  test('symmetries about a centre are turns about the origin after it has moved', () => {
    const moved = aboutCenter(HALF_TURNS, CENTER);
    expect(moved).toHaveLength(5 * 16);
    for (let at = 0; at < moved.length; at += 16) {
      for (const row of [3, 7, 11]) expect(moved[at + row]).toBeCloseTo(0, 6);
    }
  });

  test('a pose is near itself after any symmetry and a nudge, and not after another turn', () => {
    const symmetries = aboutCenter(HALF_TURNS, CENTER);
    fc.assert(
      fc.property(pose, fc.nat(3), (own, index) => {
        const symmetry = HALF_TURNS[index];
        const nudge = poseOf([0.1, 0.05, -0.1], [0.003, -0.002, 0.001]);
        const same = product(centered(product(own, symmetry), CENTER), nudge);
        const one = centered(own, CENTER);
        expect(isNearAny(same, one, symmetries, NEAR)).toBe(true);
        expect(isNearAny(one, same, symmetries, NEAR)).toBe(true);
        const quarter = centered(product(own, poseOf([Math.PI / 2, 0, 0], [0, 0, 0])), CENTER);
        expect(isNearAny(quarter, one, symmetries, { ...NEAR, distance: 9 })).toBe(false);
        const far = centered(product(own, poseOf([0, 0, 0], [0.02, 0, 0])), CENTER);
        expect(isNearAny(far, one, symmetries, NEAR)).toBe(false);
      }),
    );
  });

  test('nearness is the angle and the distance between two poses', () => {
    const alone = aboutCenter([], [0, 0, 0]);
    fc.assert(
      fc.property(pose, pose, angle, (one, other, most) => {
        const error = poseError(one, other);
        const near = { angle: Math.abs(most), distance: 0.4 };
        fc.pre(Math.abs(error.angle - (near.angle * 180) / Math.PI) > 0.1);
        fc.pre(Math.abs(error.distance - near.distance) > 1e-4);
        const expected = error.angle < (near.angle * 180) / Math.PI && error.distance < 0.4;
        expect(isNearAny(one, other, alone, near)).toBe(expected);
      }),
    );
  });
});
