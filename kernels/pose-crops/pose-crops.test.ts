import { describe, expect, test } from 'bun:test';
import type { Backend } from '../../src/compute/backend.ts';
import { devices } from '../../test/devices.ts';
import { seeded } from '../../test/numbers.ts';
import { poseCrops } from './kernel.ts';

const K = { fx: 572.4114, fy: 573.57043, cx: 325.2611, cy: 242.04899 };
const SIZE = 160;
const RADIUS = 0.11;
const random = seeded(9);

/** Translations in view, whose squares' edges are no nearer to a half than what float32 can tell. */
function places(count: number): number[][] {
  const found: number[][] = [];
  while (found.length < count) {
    const place = [random() - 0.5, random() - 0.5, 0.3 + random() * 2].map(Math.fround);
    const edges = edgesOf(place, RADIUS);
    if (edges.every((edge) => Math.abs(edge - Math.floor(edge) - 0.5) > 2e-3)) found.push(place);
  }
  return found;
}

/** left, top, right, bottom before rounding, by the five points. */
function edgesOf([x, y, z]: readonly number[], radius: number): number[] {
  const project = (px: number, py: number) => [
    (K.fx * px + K.cx * z) / z,
    (K.fy * py + K.cy * z) / z,
  ];
  const [u, v] = project(x, y);
  const around = [
    project(x + radius, y),
    project(x - radius, y),
    project(x, y + radius),
    project(x, y - radius),
  ];
  const half = Math.max(...around.flatMap(([a, b]) => [Math.abs(a - u), Math.abs(b - v)]));
  return [u - half, v - half, u + half, v + half];
}

async function run(backend: Backend, all: readonly (readonly number[])[], radius = RADIUS) {
  const images = all.length;
  const poses = new Float32Array(images * 16).fill(Number.NaN);
  all.forEach((place, index) => {
    place.forEach((value, row) => {
      poses[index * 16 + row * 4 + 3] = value;
    });
  });
  const input = backend.upload(poses, [images, 4, 4]);
  const outputs = [4, 9].map((columns) => backend.empty('float32', [images, columns]));
  backend.run(poseCrops, [input, ...outputs], { ...K, images, size: SIZE, radius });
  const windows = await backend.download(outputs[0]);
  const transforms = await backend.download(outputs[1]);
  backend.release(input, ...outputs);
  return { windows, transforms };
}

describe.each(devices)('pose-crops on %s', (_, backend) => {
  const given = places(150);

  test('are the rounded squares around the five projected points', async () => {
    const { windows, transforms } = await run(backend, given);
    given.forEach((place, index) => {
      const [left, top, right, bottom] = edgesOf(place, RADIUS).map((edge) => Math.round(edge) + 0);
      const [across, , u, , down, v, ...last] = transforms.subarray(index * 9, index * 9 + 9);
      expect([u, v, ...last]).toEqual([left, top, 0, 0, 1]);
      expect(across * SIZE).toBeCloseTo(right - left, 3);
      expect(down * SIZE).toBeCloseTo(bottom - top, 3);
      // Renderings end where the last pixel of the observed crop is.
      const [l, t, r, b] = windows.subarray(index * 4, index * 4 + 4);
      expect([l, t]).toEqual([left, top]);
      expect(r).toBeCloseTo(left + across * (SIZE - 1), 3);
      expect(b).toBeCloseTo(top + down * (SIZE - 1), 3);
    });
  });

  test('control: the scorer’s ratio in the refiner’s place is told apart', async () => {
    const { windows } = await run(backend, given, (RADIUS * 1.1) / 1.2);
    const wider = given.filter((place, index) => {
      return Math.abs(windows[index * 4] - Math.round(edgesOf(place, RADIUS)[0])) >= 1;
    });
    expect(wider.length).toBe(given.length);
  });

  test('a pose that is not ahead of the camera, or far away, has a square of a pixel', async () => {
    const odd = [
      [0.1, 0.2, 0],
      [0.1, 0.2, -1],
      [0.1, 0.2, Number.NaN],
      [0, 0, 1e6],
    ];
    const { windows, transforms } = await run(backend, odd);
    for (const index of odd.keys()) {
      expect(transforms[index * 9] * SIZE).toBeCloseTo(1, 6);
      expect(transforms[index * 9 + 4] * SIZE).toBeCloseTo(1, 6);
      expect(windows.subarray(index * 4, index * 4 + 4).every(Number.isFinite)).toBe(true);
    }
  });
});
