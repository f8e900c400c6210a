import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { silhouetteBorders } from './mesh_silhouette.ts';

const camera = { fx: 200, fy: 180, cx: 79.5, cy: 59.5, width: 160, height: 120 };
const FINENESS = 4;

/** Object → camera without a turn. */
const at = (x: number, y: number, z: number) => [1, 0, 0, x, 0, 1, 0, y, 0, 0, 1, z, 0, 0, 0, 1];

/** A rectangle in the plane z = 0, with another one left out of its middle. */
function frame(width: number, height: number, hole: number) {
  const corners = [width, hole].flatMap((w) =>
    [
      [-1, -1],
      [1, -1],
      [1, 1],
      [-1, 1],
    ].flatMap(([x, y]) => [(x * w) / 2, (y * w * height) / width / 2, 0]),
  );
  const faces =
    hole === 0
      ? [0, 1, 2, 0, 2, 3]
      : [0, 1, 2, 3].flatMap((k) => [k, (k + 1) % 4, k + 4, (k + 1) % 4, ((k + 1) % 4) + 4, k + 4]);
  return { positions: Float32Array.from(corners), indices: Uint32Array.from(faces) };
}

function boundsOf(border: readonly number[]): number[] {
  const [xs, ys] = [0, 1].map((k) => border.filter((_, i) => i % 2 === k));
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** Shoelace; positive for clockwise on the screen. */
function areaOf(border: readonly number[]): number {
  let twice = 0;
  for (let i = 0; i < border.length; i += 2) {
    const next = (i + 2) % border.length;
    twice += border[i] * border[next + 1] - border[next] * border[i + 1];
  }
  return twice / 2;
}

describe('the silhouette of a mesh', () => {
  test('of a rectangle is where its corners are projected, to a fine pixel', () => {
    const place = fc.record({
      x: fc.double({ min: -0.1, max: 0.1, noNaN: true }),
      y: fc.double({ min: -0.08, max: 0.08, noNaN: true }),
      z: fc.double({ min: 0.8, max: 3, noNaN: true }),
    });
    fc.assert(
      fc.property(place, ({ x, y, z }) => {
        const borders = silhouetteBorders(frame(0.2, 0.1, 0), at(x, y, z), camera, FINENESS);
        expect(borders).toHaveLength(1);
        // The centre of the first pixel is (0, 0) for the camera, (½, ½) for what is drawn.
        const expected = [-1, 1].flatMap((sign) => [
          camera.cx + (camera.fx * (x + sign * 0.1)) / z + 0.5,
          camera.cy + (camera.fy * (y + sign * 0.05)) / z + 0.5,
        ]);
        for (const [i, value] of boundsOf(borders[0]).entries()) {
          expect(Math.abs(value - expected[i])).toBeLessThanOrEqual(0.51 / FINENESS);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('has a border of its own around a hole', () => {
    const borders = silhouetteBorders(frame(0.2, 0.2, 0.1), at(0, 0, 1), camera, FINENESS);
    expect(borders.map(areaOf).map(Math.round)).toEqual([40 * 36, -20 * 18]);
    expect(boundsOf(borders[1])).toEqual([70, 51, 90, 69]);
  });

  test('is of the turned and moved mesh: half as wide seen at 60 degrees', () => {
    const [cos, sin] = [0.5, Math.sqrt(0.75)];
    const turned = [cos, 0, sin, 0, 0, 1, 0, 0, -sin, 0, cos, 100, 0, 0, 0, 1];
    const far = { ...camera, fx: 20000, fy: 20000 };
    const [border] = silhouetteBorders(frame(0.2, 0.1, 0), turned, far, FINENESS);
    const [left, top, right, bottom] = boundsOf(border);
    expect(right - left).toBeCloseTo(20, 0);
    expect(bottom - top).toBeCloseTo(20, 0);
  });

  test('of a mesh behind the camera or beside the picture is nothing', () => {
    expect(silhouetteBorders(frame(0.2, 0.1, 0), at(0, 0, -1), camera, FINENESS)).toEqual([]);
    expect(silhouetteBorders(frame(0.2, 0.1, 0), at(3, 0, 1), camera, FINENESS)).toEqual([]);
  });

  test('that the picture’s edge cuts does not run along that edge', () => {
    const [border] = silhouetteBorders(frame(0.4, 0.2, 0), at(0.4, 0, 1), camera, FINENESS);
    expect(boundsOf(border)[2]).toBe(camera.width + 8);
  });

  test('that fills the view and crosses the camera’s plane is cut, and bounded in memory', () => {
    const steep = [1, 0, 0, 0, 0, 0.01, 1, 0, 0, -1, 0.01, 0.2, 0, 0, 0, 1];
    const large = { ...camera, width: 4000, height: 3000, cx: 2000, cy: 1500 };
    const borders = silhouetteBorders(frame(4, 4, 0), steep, large, 16);
    expect(borders.length).toBeGreaterThan(0);
    expect(borders.flat().every(Number.isFinite)).toBe(true);
  });
});
