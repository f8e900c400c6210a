import { describe, expect, test } from 'bun:test';
import { seeded } from '../../test/numbers.ts';
import { poseOf } from './ellipsoid_fixture.ts';
import { startRotations } from './viewpoints.ts';

const rotations = startRotations();

/** Degrees between a rotation of a pose [4, 4] and the nearest of [3, 3]. */
function nearest(pose: Float32Array, among: readonly Float64Array[]): number {
  const traces = among.map((one) =>
    one.reduce((sum, value, at) => sum + value * pose[Math.floor(at / 3) * 4 + (at % 3)], 0),
  );
  return Math.acos(Math.min((Math.max(...traces) - 1) / 2, 1)) * (180 / Math.PI);
}

function farthest(among: readonly Float64Array[]): number {
  const random = seeded(4);
  const turns = Array.from({ length: 400 }, () => [0, 0, 0].map(() => random() * 2 * Math.PI));
  return Math.max(...turns.map((turn) => nearest(poseOf(turn, [0, 0, 1]), among)));
}

describe('the rotations to start from', () => {
  test('are 252 different ones, right-handed', () => {
    expect(rotations.length).toBe(252);
    const keys = rotations.map((one) => [...one].map((value) => value.toFixed(3) + 0).join());
    expect(new Set(keys).size).toBe(252);
    for (const [a, b, c, d, e, f, g, h, i] of rotations) {
      expect(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)).toBeCloseTo(1, 9);
      expect(Math.hypot(a, b, c)).toBeCloseTo(1, 9);
      expect(a * d + b * e + c * f).toBeCloseTo(0, 9);
      expect(a * g + b * h + c * i).toBeCloseTo(0, 9);
    }
  });

  test('leave none farther than 40°; control: half of the turns leave some', () => {
    expect(farthest(rotations)).toBeLessThan(40);
    expect(farthest(rotations.filter((_, index) => index % 6 < 3))).toBeGreaterThan(60);
  });

  test('have 42 lines of sight, and the first turn has +z up', () => {
    const sights = rotations.map((one) => [...one.subarray(6)].map((x) => x.toFixed(3)).join());
    expect(new Set(sights).size).toBe(42);
    for (let index = 0; index < rotations.length; index += 6) {
      const rotation = rotations[index];
      if (Math.abs(rotation[8]) < 0.99) expect(rotation[5]).toBeLessThan(0);
      expect(rotation[2]).toBeCloseTo(0, 9);
    }
  });
});
