import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { cropSquares, cropToImage } from './crops.ts';

const intrinsics = { fx: 572.4114, fy: 573.57043, cx: 325.2611, cy: 242.04899 };

function poseAt(x: number, y: number, z: number): number[] {
  return [0, -1, 0, x, 1, 0, 0, y, 0, 0, 1, z, 0, 0, 0, 1];
}

/** The rule by its five points: t, t ± r along x, t ± r along y, each through K. */
function reference([x, y, z]: readonly number[], radius: number): number[] {
  const project = (px: number, py: number, pz: number) => [
    (intrinsics.fx * px + intrinsics.cx * pz) / pz,
    (intrinsics.fy * py + intrinsics.cy * pz) / pz,
  ];
  const [u, v] = project(x, y, z);
  const around = [project(x + radius, y, z), project(x - radius, y, z)];
  around.push(project(x, y + radius, z), project(x, y - radius, z));
  const half = Math.max(...around.flatMap(([a, b]) => [Math.abs(a - u), Math.abs(b - v)]));
  return [u - half, v - half, u + half, v + half];
}

const metres = fc.double({ min: -1, max: 1, noNaN: true });
const depth = fc.double({ min: 0.2, max: 4, noNaN: true });

describe('crops', () => {
  test('are the squares around the five projected points, rounded', () => {
    fc.assert(
      fc.property(metres, metres, depth, (x, y, z) => {
        const given = Float32Array.from([...poseAt(0, 0, 1), ...poseAt(x, y, z)]);
        const place = [given[19], given[23], given[27]];
        const squares = cropSquares(given, { intrinsics, diameter: 0.2, ratio: 1.2 });
        reference(place, 0.12).forEach((edge, side) => {
          expect(Number.isInteger(squares[4 + side])).toBe(true);
          expect(Math.abs(squares[4 + side] - edge)).toBeLessThan(0.5 + 1e-4);
        });
      }),
    );
  });

  test('control: the scorer’s ratio gives another square', () => {
    const pose = Float32Array.from(poseAt(0.1, 0, 0.7));
    const [left] = cropSquares(pose, { intrinsics, diameter: 0.2, ratio: 1.1 });
    expect(Math.abs(left - reference([0.1, 0, 0.7], 0.12)[0])).toBeGreaterThan(2);
  });

  test('are at least a pixel wide, and a pose behind the camera is refused', () => {
    const far = Float32Array.from(poseAt(0, 0, 1e6));
    const [left, top, right, bottom] = cropSquares(far, { intrinsics, diameter: 0.1, ratio: 1 });
    expect([right - left, bottom - top]).toEqual([1, 1]);
    for (const z of [0, -1, Number.NaN]) {
      const pose = Float32Array.from([...poseAt(0, 0, 1), ...poseAt(0, 0, z)]);
      expect(() => cropSquares(pose, { intrinsics, diameter: 0.1, ratio: 1 })).toThrow(
        'pose 1 lies',
      );
    }
  });

  test('sampled at the corner, a crop’s first pixel is the square’s', () => {
    const squares = Float32Array.of(100, 50, 260, 210, -30, -20, 50, 60);
    const transforms = cropToImage(squares, 160, 160, 0);
    for (const index of [0, 1]) {
      const [across, , left, , down, top] = transforms.subarray(index * 9);
      expect([left, top]).toEqual([...squares.subarray(index * 4, index * 4 + 2)]);
      expect(across * 160 + left).toBe(squares[index * 4 + 2]);
      expect(down * 160 + top).toBe(squares[index * 4 + 3]);
    }
  });

  test('sampled in the middle, a crop’s pixels share its window evenly', () => {
    const [across, , left, , down, top] = cropToImage(Float32Array.of(10, 20, 50, 40), 8, 5, 0.5);
    expect([across, left, down, top]).toEqual([5, 12.5, 4, 22]);
  });
});
