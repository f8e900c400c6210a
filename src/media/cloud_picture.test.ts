/**
 * Proves the cloud's picture by scenes whose second view is known: from the first camera itself,
 * and by which way points move, and what hides what, when the viewer moves.
 */
import { describe, expect, test } from 'bun:test';
import sharp from 'sharp';
import { drawCloud, type PictureCamera, renderCloud } from './cloud_picture.ts';
import type { RgbImage } from './image.ts';

const CAMERA: PictureCamera = { fx: 50, fy: 50, cx: 31.5, cy: 23.5, width: 64, height: 48 };
const BLACK = [0, 0, 0] as const;
const RED = [255, 0, 0] as const;
const GREEN = [0, 255, 0] as const;
type Rgb = readonly [number, number, number];

/** Every pixel of the camera unprojected to a depth, in a colour. */
function scene(depth: (u: number, v: number) => number, colour: (u: number, v: number) => Rgb) {
  const { fx, fy, cx, cy, width, height } = CAMERA;
  const points = new Float32Array(width * height * 3);
  const colors = new Uint8Array(width * height * 3);
  for (let v = 0; v < height; v++) {
    for (let u = 0; u < width; u++) {
      const z = depth(u, v);
      const at = (v * width + u) * 3;
      points.set([((u - cx) * z) / fx, ((v - cy) * z) / fy, z], at);
      colors.set(colour(u, v), at);
    }
  }
  return { points, colors };
}

const pixel = ({ data, width }: RgbImage, u: number, v: number) => [
  ...data.subarray((v * width + u) * 3, (v * width + u) * 3 + 3),
];
const view = (yawDegrees: number, pitchDegrees: number) => ({
  yawDegrees,
  pitchDegrees,
  background: BLACK,
});

/** Centroid and number of the pixels of one colour. */
function find({ data, width }: RgbImage, colour: Rgb) {
  let [u, v, count] = [0, 0, 0];
  for (let i = 0; i < data.length / 3; i++) {
    if (!colour.every((value, k) => data[i * 3 + k] === value)) continue;
    u += i % width;
    v += Math.floor(i / width);
    count++;
  }
  return { u: u / count, v: v / count, count };
}

describe('drawCloud', () => {
  test('from the first camera each point covers its own pixel', () => {
    // Splats are two pixels wide; at growing depth the nearer, upper left one wins its pixel.
    const { points, colors } = scene(
      (u, v) => 2 + u * 0.01 + v * 0.01,
      (u, v) => [u * 4, v * 5, 9],
    );
    const picture = drawCloud(points, colors, CAMERA, view(0, 0));
    expect([picture.width, picture.height]).toEqual([64, 48]);
    for (const [u, v] of [
      [0, 0],
      [10, 40],
      [63, 47],
    ]) {
      const [r, g, b] = pixel(picture, u, v);
      expect(Math.abs(r - u * 4)).toBeLessThanOrEqual(4);
      expect(Math.abs(g - v * 5)).toBeLessThanOrEqual(5);
      expect(b).toBe(9);
    }
  });

  /** A green square floating one metre before a red wall. */
  const isSquare = (u: number, v: number) => u >= 28 && u < 36 && v >= 20 && v < 28;
  const floating = scene(
    (u, v) => (isSquare(u, v) ? 2 : 3),
    (u, v) => (isSquare(u, v) ? GREEN : RED),
  );
  const draw = (yaw: number, pitch: number) =>
    drawCloud(floating.points, floating.colors, CAMERA, view(yaw, pitch));

  test('from further right, what is near is further left; from further up, further down', () => {
    const straight = find(draw(0, 0), GREEN);
    expect(find(draw(10, 0), GREEN).u).toBeLessThan(straight.u - 3);
    expect(find(draw(-10, 0), GREEN).u).toBeGreaterThan(straight.u + 3);
    expect(find(draw(0, 10), GREEN).v).toBeGreaterThan(straight.v + 3);
    expect(find(draw(0, -10), GREEN).v).toBeLessThan(straight.v - 3);
  });

  test('what is near hides what is far, whichever is drawn first', () => {
    const { points, colors } = floating;
    const backwards = (data: Float32Array | Uint8Array) =>
      Array.from({ length: data.length / 3 }, (_, i) => [
        ...data.subarray(data.length - 3 - i * 3, data.length - i * 3),
      ]).flat();
    const first = draw(5, 5);
    const last = drawCloud(
      new Float32Array(backwards(points)),
      new Uint8Array(backwards(colors)),
      CAMERA,
      view(5, 5),
    );
    expect(find(first, GREEN).count).toBeGreaterThan(60);
    expect(find(last, GREEN).count).toBe(find(first, GREEN).count);
    // The shadow that the square casts on the wall stays open.
    expect(find(draw(15, 0), BLACK).count).toBeGreaterThan(30);
  });

  test('a wall stays closed when it is turned, and twice as sparse a one with its spacing', () => {
    const wall = scene(
      () => 3,
      () => RED,
    );
    const holes = (points: Float32Array, colors: Uint8Array, spacing?: number) => {
      const picture = drawCloud(points, colors, CAMERA, { ...view(20, 15), spacing });
      let count = 0;
      for (let v = 16; v < 32; v++)
        for (let u = 20; u < 44; u++) if (pixel(picture, u, v)[0] === 0) count++;
      return count;
    };
    expect(holes(wall.points, wall.colors)).toBe(0);
    const keep = (_: number, i: number) => {
      const p = Math.floor(i / 3);
      return p % 4 === 0 && Math.floor(p / 64) % 4 === 0;
    };
    const sparse = wall.points.filter(keep);
    const colors = wall.colors.filter(keep);
    expect(holes(sparse, colors, 4)).toBe(0);
    // The control: without it the gaps show.
    expect(holes(sparse, colors)).toBeGreaterThan(100);
  });

  test('points without a depth are skipped, and an empty cloud is all background', () => {
    const bad = [Number.NaN, Number.POSITIVE_INFINITY, 0, -1];
    const points = new Float32Array([...bad.flatMap((z) => [0, 0, z]), Number.NaN, 0, 1]);
    const picture = drawCloud(points, new Uint8Array(15).fill(255), CAMERA, view(10, 10));
    expect(find(picture, BLACK).count).toBe(64 * 48);
    const empty = drawCloud(new Float32Array(), new Uint8Array(), CAMERA, view(0, 0));
    expect(find(empty, BLACK).count).toBe(64 * 48);
    expect(() => drawCloud(points, new Uint8Array(3), CAMERA, view(0, 0))).toThrow(RangeError);
  });

  test('renderCloud is the same picture as PNG', async () => {
    const file = await renderCloud(floating.points, floating.colors, CAMERA, view(10, 5));
    const decoded = await sharp(file).raw().toBuffer();
    expect(Buffer.compare(decoded, draw(10, 5).data)).toBe(0);
  });
});
