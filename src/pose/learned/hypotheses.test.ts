import { describe, expect, test } from 'bun:test';
import { aboutCenter } from '../symmetric_poses.ts';
import { startRotations } from '../viewpoints.ts';
import { distinctRotations, maskedObject } from './hypotheses.ts';

/** Turns of 360°/n about the object's z, as rotations. */
function turns(n: number): Float64Array[] {
  return Array.from({ length: n }, (_, step) => {
    const [c, s] = [Math.cos((step * 2 * Math.PI) / n), Math.sin((step * 2 * Math.PI) / n)];
    return Float64Array.of(c, -s, 0, s, c, 0, 0, 0, 1);
  });
}

function asTransforms(rotations: readonly Float64Array[]): Float32Array[] {
  return rotations.map((r) =>
    Float32Array.of(r[0], r[1], r[2], 0, r[3], r[4], r[5], 0, r[6], r[7], r[8], 0, 0, 0, 0, 1),
  );
}

/** Degrees between a and b·s, by the trace. */
function angle(a: Float64Array, b: Float64Array, s: Float64Array): number {
  let trace = 0;
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < 3; column++) {
      let product = 0;
      for (let k = 0; k < 3; k++) product += b[row * 3 + k] * s[k * 3 + column];
      trace += a[row * 3 + column] * product;
    }
  }
  return (Math.acos(Math.min(Math.max((trace - 1) / 2, -1), 1)) * 180) / Math.PI;
}

describe('rotations to start from', () => {
  const all = startRotations();

  test('are all of them where the object has no symmetry', () => {
    expect(distinctRotations(all, aboutCenter([], [0, 0, 0]))).toEqual(all);
  });

  test.each([2, 4, 72])(
    'with %d turns: none is within 30° of another, and none is lacking',
    (n) => {
      const group = turns(n);
      const kept = distinctRotations(all, aboutCenter(asTransforms(group), [0, 0, 0]));
      const least = (a: Float64Array, others: readonly Float64Array[]) =>
        Math.min(...others.flatMap((b) => group.map((turn) => angle(a, b, turn))));
      for (const one of kept) {
        expect(
          least(
            one,
            kept.filter((other) => other !== one),
          ),
        ).toBeGreaterThan(29.99);
      }
      for (const one of all) expect(least(one, kept)).toBeLessThan(30.01);
      expect(kept.length).toBeLessThanOrEqual(Math.ceil(252 / Math.min(n, 12)) + 30);
      expect(kept.length).toBeLessThan(n === 2 ? 160 : 100);
    },
  );
});

describe('the object in a mask', () => {
  const camera = { width: 6, height: 5, intrinsics: { fx: 10, fy: 20, cx: 2, cy: 1 } };
  const depth = new Float32Array(30);
  const mask = new Uint8Array(30);
  const set = (u: number, v: number, z: number) => {
    mask[v * 6 + u] = 255;
    depth[v * 6 + u] = z;
  };
  set(1, 1, 0.5);
  set(4, 1, 0.7);
  set(4, 2, 0.9);
  set(2, 4, 4);
  set(3, 3, 0);

  test('lies at the middle of the box, as deep as the median of an even number of depths', () => {
    const { place, depths } = maskedObject(depth, mask, camera);
    expect(depths).toBe(4);
    const z = (Math.fround(0.7) + Math.fround(0.9)) / 2;
    expect(place[2]).toBeCloseTo(z, 7);
    expect(place[0]).toBeCloseTo(((2.5 - 2) / 10) * z, 7);
    expect(place[1]).toBeCloseTo(((2.5 - 1) / 20) * z, 7);
  });

  test('is refused with three depths, or for a mask of another size', () => {
    const three = depth.map((z) => (z === 4 ? 0 : z));
    expect(() => maskedObject(three, mask, camera)).toThrow(
      '3 pixels with a depth from 0.001 to 100 m; expected at least 4',
    );
    expect(() => maskedObject(depth, mask.slice(1), camera)).toThrow('has 29 pixels; expected 30');
  });
});
