import { describe, expect, test } from 'bun:test';
import { cropMask, cropPlace, type DepthObservation } from './crop.ts';

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
    const crop = cropMask(observation, diameter);
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
    expect(crop.distance).toBeGreaterThan(0.5);
  });

  test('the mask’s middle and depth are those of the image', () => {
    const crop = cropMask(observe(20, 15, 30, 25), 0.1);
    const x = (crop.maskCenter[0] - crop.intrinsics.cx) / crop.intrinsics.fx;
    expect(x * intrinsics.fx + intrinsics.cx).toBeCloseTo(25, 6);
    expect(crop.distance).toBeCloseTo(0.5 + (20 * WIDTH + 25) / 1e5, 6);
  });

  test('refuses a mask with fewer than 4 depths, and takes one with 4', () => {
    const observation = observe(20, 15, 21, 16);
    expect(() => cropMask(observation, 0.1)).not.toThrow();
    for (const value of [0, Number.NaN, Number.POSITIVE_INFINITY, 0.0009, 100]) {
      const depth = observation.depth.slice();
      depth[15 * WIDTH + 20] = value;
      expect(() => cropMask({ ...observation, depth }, 0.1)).toThrow(
        "the mask has 3 pixels with a depth from 0.001 to 100 m; expected at least 4: check the depth's scale",
      );
    }
  });
});

describe('the crop of a place', () => {
  const [u, v, z] = [40, 20, 0.51];
  const place = [
    ((u - intrinsics.cx) / intrinsics.fx) * z,
    ((v - intrinsics.cy) / intrinsics.fy) * z,
    z,
  ];
  const frame = observe(0, 0, 0, 0);

  test('has its pixel in the middle, and all that an object there can cover', () => {
    const crop = cropPlace(frame, place, 0.1);
    const middle = crop.intrinsics.cx + (place[0] / z) * crop.intrinsics.fx;
    expect(Math.abs(middle - crop.side / 2)).toBeLessThanOrEqual(1);
    expect(crop.side).toBeGreaterThan((0.1 * intrinsics.fx) / z);
    expect(crop.distance).toBe(z);
    const at = Math.round(middle) + crop.side * Math.round(crop.side / 2);
    expect(Math.abs(crop.depth[at] - frame.depth[v * WIDTH + u])).toBeLessThan(0.001);
  });

  test('takes for the object what is as far away, and judges by all', () => {
    const depth = frame.depth.map((value, at) => (at % 2 === 0 ? value : value + 0.3));
    const crop = cropPlace({ ...frame, depth }, place, 0.1);
    expect(crop.depth.some((value) => value > 0.8)).toBe(true);
    expect(crop.surface.every((value) => value < 0.8)).toBe(true);
    expect(crop.surface.some((value) => value > 0)).toBe(true);
    expect(crop.mask.every((value) => value !== 0)).toBe(true);
  });

  test('refuses one that cannot be seen', () => {
    const at = (x: number, depth: number) => () => cropPlace(frame, [x, 0, depth], 0.1);
    expect(at(0, 0)).toThrow("the object's middle 0 m before the camera");
    expect(at(0, Number.NaN)).toThrow('NaN m before the camera; expected more than 0');
    expect(at(Number.NaN, 1)).toThrow('out of sight');
    expect(at(1, 0.5)).toThrow('out of sight of a picture of 64x48');
    const millimetres = frame.depth.map((value) => value * 1000);
    const far = [place[0] * 1000, place[1] * 1000, z * 1000];
    expect(() => cropPlace({ ...frame, depth: millimetres }, far, 100)).toThrow(
      /^0 pixels have .*: check the depth's scale/,
    );
    const dark = { ...frame, depth: new Float32Array(frame.depth.length) };
    expect(() => cropPlace(dark, place, 0.1)).toThrow(
      '0 pixels have a depth from 0.001 to 100 m, within 0.100 m of the last pose',
    );
  });
});
