import { describe, expect, test } from 'bun:test';
import { cropObservation, type DepthObservation } from './crop.ts';

const [WIDTH, HEIGHT] = [64, 48];
const intrinsics = { fx: 80, fy: 79, cx: 31.5, cy: 23.25 };

/** Depths that say which pixel they are from, and a mask of a rectangle. */
function observe(left: number, top: number, right: number, bottom: number): DepthObservation {
  const depth = new Float32Array(WIDTH * HEIGHT).map((_, at) => 0.5 + at / 1e5);
  const mask = new Uint8Array(WIDTH * HEIGHT).map((_, at) => {
    const [u, v] = [at % WIDTH, Math.floor(at / WIDTH)];
    return u >= left && u <= right && v >= top && v <= bottom ? 255 : 0;
  });
  return { width: WIDTH, height: HEIGHT, depth, mask, intrinsics };
}

describe('the crop of an observation', () => {
  test.each([
    ['inside', observe(20, 15, 29, 24), 0.1],
    ['in a corner', observe(0, 0, 9, 7), 0.15],
    ['thinned out', observe(30, 20, 40, 30), 3],
  ])('%s: pixels keep their depth, and their rays', (name, observation, diameter) => {
    const crop = cropObservation(observation, diameter);
    expect(crop.side % 4).toBe(0);
    expect(crop.side).toBeLessThanOrEqual(176);
    expect(crop.intrinsics.fx < intrinsics.fx).toBe(name === 'thinned out');
    let seen = 0;
    crop.depth.forEach((z, at) => {
      if (z === 0) {
        expect(crop.mask[at]).toBe(0);
        return;
      }
      const x = ((at % crop.side) - crop.intrinsics.cx) / crop.intrinsics.fx;
      const y = (Math.floor(at / crop.side) - crop.intrinsics.cy) / crop.intrinsics.fy;
      const [u, v] = [x * intrinsics.fx + intrinsics.cx, y * intrinsics.fy + intrinsics.cy];
      const pixel = Math.round(v) * WIDTH + Math.round(u);
      expect(u).toBeCloseTo(Math.round(u), 6);
      expect(z).toBe(observation.depth[pixel]);
      expect(crop.mask[at]).toBe(observation.mask[pixel]);
      seen += Number(crop.mask[at] !== 0);
    });
    const stride = intrinsics.fx / crop.intrinsics.fx;
    const masked = observation.mask.filter((value) => value !== 0).length;
    expect(seen).toBeGreaterThan((masked / stride ** 2) * 0.8);
    expect(crop.maskDepth).toBeGreaterThan(0.5);
  });

  test('the mask’s middle and depth are those of the image', () => {
    const crop = cropObservation(observe(20, 15, 30, 25), 0.1);
    const x = (crop.maskCenter[0] - crop.intrinsics.cx) / crop.intrinsics.fx;
    expect(x * intrinsics.fx + intrinsics.cx).toBeCloseTo(25, 6);
    expect(crop.maskDepth).toBeCloseTo(0.5 + (20 * WIDTH + 25) / 1e5, 6);
  });

  test('refuses a mask with fewer than 4 depths, and takes one with 4', () => {
    const observation = observe(20, 15, 21, 16);
    expect(() => cropObservation(observation, 0.1)).not.toThrow();
    for (const value of [0, Number.NaN, Number.POSITIVE_INFINITY]) {
      const depth = observation.depth.slice();
      depth[15 * WIDTH + 20] = value;
      expect(() => cropObservation({ ...observation, depth }, 0.1)).toThrow(
        'the mask has 3 pixels with depth; expected at least 4',
      );
    }
  });
});
