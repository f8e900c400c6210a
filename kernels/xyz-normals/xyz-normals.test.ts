import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import type { Backend } from '../../src/compute/backend.ts';
import { devices } from '../../test/devices.ts';
import { maxAbsoluteError, seeded } from '../../test/numbers.ts';
import { xyzNormals } from './kernel.ts';

setDefaultTimeout(60_000);

const [WIDTH, HEIGHT] = [37, 25];
const PIXELS = WIDTH * HEIGHT;
const OPTIONS = { radius: 2, max_difference: 0.02 };

type Vector = readonly [number, number, number];

function ray(pixel: number): Vector {
  return [((pixel % WIDTH) - 18.1) / 50, (Math.floor(pixel / WIDTH) - 12.3) / 50, 1];
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/** Points of the plane n·p = d; `holes` is the share of pixels without one. */
function drawPlane(normal: Vector, distance: number, holes = 0): Float32Array {
  const random = seeded(5);
  const xyz = new Float32Array(PIXELS * 3);
  for (let pixel = 0; pixel < PIXELS; pixel++) {
    const z = random() < holes ? 0 : distance / dot(normal, ray(pixel));
    xyz.set(
      ray(pixel).map((axis) => axis * z),
      pixel * 3,
    );
  }
  return xyz;
}

async function run(backend: Backend, images: readonly Float32Array[], options = OPTIONS) {
  const xyz = Float32Array.from(images.flatMap((image) => [...image]));
  const input = backend.upload(xyz, [images.length, HEIGHT, WIDTH, 3]);
  const output = backend.upload(new Float32Array(xyz.length).fill(-7), [xyz.length]);
  const size = { width: WIDTH, height: HEIGHT, images: images.length };
  backend.run(xyzNormals, [input, output], { ...size, ...options });
  const normals = await backend.download(output);
  backend.release(input, output);
  return normals as Float32Array;
}

const SLANTED: Vector = [0.36, -0.48, -0.8];
const STEEP: Vector = [0.6, 0, -0.8];

describe.each(devices)('xyz-normals on %s', (_, backend) => {
  test('a plane’s normal is exact, in holes and at borders too, in each image', async () => {
    const images = [drawPlane(SLANTED, -0.5), drawPlane(STEEP, -0.7, 0.3)];
    // Between two pixels of the steep one are 14 mm of depth.
    const normals = await run(backend, images, { radius: 2, max_difference: 0.06 });
    [SLANTED, STEEP].forEach((normal, image) => {
      let [known, points] = [0, 0];
      for (let pixel = 0; pixel < PIXELS; pixel++) {
        const at = (image * PIXELS + pixel) * 3;
        const own = normals.subarray(at, at + 3);
        const isHole = images[image][pixel * 3 + 2] === 0;
        if (isHole) expect([...own]).toEqual([0, 0, 0]);
        else points++;
        if (own[2] === 0) continue;
        known++;
        // A slope of points 1 cm apart, whose coordinates of 1 m are rounded to 24 bits.
        expect(maxAbsoluteError(own, normal)).toBeLessThan(1e-4);
      }
      expect(known).toBeGreaterThan(points * 0.98);
    });
  });

  test('a sphere’s normals are its radii, within its curvature', async () => {
    const [radius, center] = [0.12, 0.5];
    const xyz = new Float32Array(PIXELS * 3);
    for (let pixel = 0; pixel < PIXELS; pixel++) {
      const direction = ray(pixel);
      const a = dot(direction, direction);
      const root = center * center - a * (center * center - radius * radius);
      if (root <= 0) continue;
      const z = (center - Math.sqrt(root)) / a;
      xyz.set(
        direction.map((axis) => axis * z),
        pixel * 3,
      );
    }
    const normals = await run(backend, [xyz], { radius: 1, max_difference: 0.02 });
    let [worst, total, known] = [0, 0, 0];
    for (let at = 0; at < xyz.length; at += 3) {
      const own = normals.subarray(at, at + 3);
      const out = [xyz[at] / radius, xyz[at + 1] / radius, (xyz[at + 2] - center) / radius];
      if (own[2] === 0 || out[2] > -0.6) continue;
      known++;
      const angle = Math.acos(Math.min(dot(own, out), 1)) * (180 / Math.PI);
      worst = Math.max(worst, angle);
      total += angle;
    }
    expect(known).toBeGreaterThan(200);
    // What a pixel spans of the circle where it is seen at 53°: 8.4 mm/0.6 of a radius of 120 mm.
    expect(worst).toBeLessThan(6.7);
    expect(total / known).toBeLessThan(1.5);
  });

  test('a step in depth does not bend the normals beside it; control: without the bound it does', async () => {
    const near = drawPlane(SLANTED, -0.5);
    const far = drawPlane(SLANTED, -0.6);
    const stepped = near.map((value, at) => (Math.floor(at / 3) % WIDTH < 18 ? value : far[at]));
    const wanted = Float32Array.from({ length: PIXELS * 3 }, (_, at) => SLANTED[at % 3]);
    // A pixel that sees nothing but the other side of an edge's corner has no normal.
    const error = (normals: Float32Array) =>
      maxAbsoluteError(
        normals.map((value, at) => (normals[at - (at % 3) + 2] === 0 ? wanted[at] : value)),
        wanted,
      );
    expect(error(await run(backend, [stepped]))).toBeLessThan(1e-4);
    const loose = await run(backend, [stepped], { radius: 2, max_difference: 1 });
    expect(error(loose)).toBeGreaterThan(0.3);
  });

  test('a line of pixels, a lone pixel and an empty image have none', async () => {
    const plane = drawPlane(SLANTED, -0.5);
    const line = plane.map((value, at) => (Math.floor(at / 3 / WIDTH) === 9 ? value : 0));
    const lone = plane.map((value, at) => (Math.floor(at / 3) === 400 ? value : 0));
    const normals = await run(backend, [line, lone, new Float32Array(PIXELS * 3)]);
    expect([...normals].every((value) => value === 0)).toBe(true);
  });
});
