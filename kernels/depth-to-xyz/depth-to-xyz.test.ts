import { describe, expect, test } from 'bun:test';
import type { Backend } from '../../src/compute/backend.ts';
import { devices } from '../../test/devices.ts';
import { seeded } from '../../test/numbers.ts';
import { depthToXyz } from './kernel.ts';

const LENS = { fx: 52.34, fy: 51.07, cx: 18.123, cy: 11.977 };
const [WIDTH, HEIGHT] = [37, 25];
const RANGE = { min_depth: 0.3, max_depth: 6 };

function draw(): Float32Array {
  const random = seeded(8);
  const depth = Float32Array.from({ length: WIDTH * HEIGHT }, () => random() * 8);
  depth.set([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 0.3, 6, 0.29999]);
  return depth;
}

async function run(backend: Backend, depth: Float32Array): Promise<Float32Array> {
  const input = backend.upload(depth, [HEIGHT, WIDTH]);
  const output = backend.empty('float32', [HEIGHT, WIDTH, 3]);
  backend.run(depthToXyz, [input, output], { width: WIDTH, height: HEIGHT, ...LENS, ...RANGE });
  const xyz = await backend.download(output);
  backend.release(input, output);
  return xyz;
}

/** Largest distance to K⁻¹·(u, v, 1)·z in float64, by z. */
function relativeError(xyz: Float32Array, depth: Float32Array, shift = 0): number {
  let worst = 0;
  depth.forEach((z, pixel) => {
    // As float32 is compared: 0.3 is a little above the 0.3 of float64.
    if (!(z >= Math.fround(0.3) && z < 6)) return;
    const x = (((pixel % WIDTH) + shift - LENS.cx) / LENS.fx) * z;
    const y = ((Math.floor(pixel / WIDTH) + shift - LENS.cy) / LENS.fy) * z;
    const [dx, dy, dz] = [xyz[pixel * 3] - x, xyz[pixel * 3 + 1] - y, xyz[pixel * 3 + 2] - z];
    worst = Math.max(worst, Math.hypot(dx, dy, dz) / z);
  });
  return worst;
}

describe.each(devices)('depth-to-xyz on %s', (_, backend) => {
  test('points are those of float64, and those of a camera shifted by half a pixel are not', async () => {
    const depth = draw();
    const xyz = await run(backend, depth);
    expect(relativeError(xyz, depth)).toBeLessThan(1e-6);
    expect(relativeError(xyz, depth, 0.5)).toBeGreaterThan(5e-3);
  });

  test('depth out of range, NaN and infinity have no point; the least depth has one', async () => {
    const xyz = await run(backend, draw());
    const isPoint = [0, 1, 2, 3, 4, 5, 6].map((pixel) => xyz[pixel * 3 + 2] !== 0);
    expect(isPoint).toEqual([false, false, false, false, true, false, false]);
    expect([...xyz.subarray(0, 12)].every((value) => value === 0)).toBe(true);
  });
});
