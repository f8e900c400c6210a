/** The fill rule: triangles that share an edge share no pixel and leave none out. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { SUBPIXELS } from './camera_vertices.ts';
import { Coverage } from './coverage.ts';

const [WIDTH, HEIGHT] = [13, 9];
type Point = readonly [x: number, y: number];

/** Corners on pixel centres, where the rule decides, and anywhere, also outside of the image. */
const corner: fc.Arbitrary<Point> = fc.tuple(coordinate(WIDTH), coordinate(HEIGHT));

function coordinate(size: number) {
  const centre = fc.integer({ min: -2, max: size + 1 }).map((pixel) => (pixel + 0.5) * SUBPIXELS);
  return fc.oneof(centre, fc.integer({ min: -3 * SUBPIXELS, max: (size + 3) * SUBPIXELS }));
}

function pixelsOf(...triangles: Point[][]): number[] {
  const counts = Array(WIDTH * HEIGHT).fill(0);
  for (const [a, b, c] of triangles) {
    const coverage = new Coverage(WIDTH, HEIGHT, 100);
    coverage.clear();
    coverage.draw(1, ...a, 1, ...b, 1, ...c, 1);
    coverage.ids.forEach((id, pixel) => {
      counts[pixel] += id;
    });
  }
  return counts;
}

/** Positive when `point` lies to the right of a → b as seen (y is down). */
function side(a: Point, b: Point, [x, y]: Point): number {
  return (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]);
}

function isStrictlyConvex(corners: readonly Point[]): boolean {
  const turns = corners.map((point, at) =>
    side(point, corners[(at + 1) % 4], corners[(at + 2) % 4]),
  );
  return turns.every((turn) => turn > 0) || turns.every((turn) => turn < 0);
}

describe('coverage', () => {
  test('a quadrilateral cut along one diagonal or the other: each of its pixels, once', () => {
    let convex = 0;
    fc.assert(
      fc.property(corner, corner, corner, corner, (a, b, c, d) => {
        if (!isStrictlyConvex([a, b, c, d])) return;
        convex++;
        const one = pixelsOf([a, b, c], [c, d, a]);
        expect(Math.max(...one)).toBeLessThanOrEqual(1);
        expect(pixelsOf([b, c, d], [d, a, b])).toEqual(one);
      }),
      { numRuns: 600 },
    );
    expect(convex).toBeGreaterThan(50);
  });

  test('centres strictly inside are covered, those outside are not, whatever the order', () => {
    fc.assert(
      fc.property(corner, corner, corner, (a, b, c) => {
        const counts = pixelsOf([a, b, c]);
        expect(pixelsOf([b, c, a])).toEqual(counts);
        expect(pixelsOf([c, b, a])).toEqual(counts);
        const sign = Math.sign(side(a, b, c));
        counts.forEach((count, pixel) => {
          const x = ((pixel % WIDTH) + 0.5) * SUBPIXELS;
          const y = (Math.floor(pixel / WIDTH) + 0.5) * SUBPIXELS;
          const least = Math.min(
            ...[side(a, b, [x, y]), side(b, c, [x, y]), side(c, a, [x, y])].map((s) => s * sign),
          );
          if (least !== 0) expect(count).toBe(Number(sign !== 0 && least > 0));
        });
      }),
      { numRuns: 300 },
    );
  });

  test('the nearer triangle is seen, in whichever order they come; beyond the range none is', () => {
    const whole = [0, 0, 30 * SUBPIXELS, 0, 0, 30 * SUBPIXELS];
    const draw = (coverage: Coverage, id: number, z: number) =>
      coverage.draw(
        id,
        whole[0],
        whole[1],
        1 / z,
        whole[2],
        whole[3],
        1 / z,
        whole[4],
        whole[5],
        1 / z,
      );
    for (const order of [
      [1, 2],
      [2, 1],
    ]) {
      const coverage = new Coverage(WIDTH, HEIGHT, 100);
      coverage.clear();
      for (const id of order) draw(coverage, id, id * 0.4);
      expect(coverage.ids.every((id) => id === 1)).toBe(true);
      coverage.clear();
      draw(coverage, 3, 101);
      expect(coverage.ids.every((id) => id === 0)).toBe(true);
    }
  });
});
