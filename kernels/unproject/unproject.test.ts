import { describe, expect, test } from 'bun:test';
import type { Backend } from '../../src/compute/backend.ts';
import { devices } from '../../test/devices.ts';
import { maxAbsoluteError, seeded } from '../../test/numbers.ts';
import { resizeDepth } from '../resize-depth/kernel.ts';
import { unproject } from './kernel.ts';

const SRC = { width: 42, height: 28 };
const DST = { width: 61, height: 45 };
const K = { fx: 52.34, fy: 51.07, cx: 30.123, cy: 21.977 };
const random = seeded(5);
const source = Float32Array.from({ length: SRC.width * SRC.height }, () => 0.3 + random() * 8);
const image = Uint8Array.from({ length: DST.width * DST.height * 3 }, () => random() * 256);

const SIZES = {
  src_width: SRC.width,
  src_height: SRC.height,
  dst_width: DST.width,
  dst_height: DST.height,
  src_offset: 0,
  depth_scale: 1.5,
};

interface Options {
  readonly stride: number;
  readonly min_depth: number;
  readonly max_depth: number;
}
const WHOLE: Options = { stride: 1, min_depth: 0, max_depth: 1e9 };

async function run(backend: Backend, options: Options) {
  const columns = Math.ceil(DST.width / options.stride);
  const count = columns * Math.ceil(DST.height / options.stride);
  const inputs = [
    backend.upload(source, [SRC.height, SRC.width]),
    backend.upload(image, [DST.height, DST.width, 3]),
  ];
  const depth = backend.empty('float32', [DST.height, DST.width]);
  const points = backend.empty('float32', [count, 3]);
  const colors = backend.empty('uint32', [count]);
  const params = { ...SIZES, ...K, ...options, colored: 1 };
  backend.run(unproject, [...inputs, depth, points, colors], params);
  const result = {
    depth: await backend.download(depth),
    points: await backend.download(points),
    colors: await backend.download(colors),
  };
  backend.release(...inputs, depth, points, colors);
  return result;
}

/** Largest |P − P'| / |P'| against X = (u − cx)/fx·Z in float64 at pixel centres + `shift`. */
function relativeError(points: Float32Array, depth: Float32Array, stride: number, shift = 0) {
  const columns = Math.ceil(DST.width / stride);
  let worst = 0;
  for (let i = 0; i * 3 < points.length; i++) {
    const u = (i % columns) * stride;
    const v = Math.floor(i / columns) * stride;
    const z = depth[v * DST.width + u];
    const x = ((u + shift - K.cx) / K.fx) * z;
    const y = ((v + shift - K.cy) / K.fy) * z;
    const off = Math.hypot(points[i * 3] - x, points[i * 3 + 1] - y, points[i * 3 + 2] - z);
    worst = Math.max(worst, off / Math.hypot(x, y, z));
  }
  return worst;
}

describe.each(devices)('unproject on %s', (_, backend) => {
  test('depth is that of resize-depth', async () => {
    const { depth } = await run(backend, WHOLE);
    const input = backend.upload(source, [SRC.height, SRC.width]);
    const output = backend.empty('float32', [DST.height, DST.width]);
    backend.run(resizeDepth, [input, output], SIZES);
    expect(maxAbsoluteError(depth, await backend.download(output))).toBe(0);
    backend.release(input, output);
  });

  test.each([1, 3])('points at stride %d are within 1e-5 of float64', async (stride) => {
    const { points, depth } = await run(backend, { ...WHOLE, stride });
    expect(points.length).toBe(Math.ceil(DST.width / stride) * Math.ceil(DST.height / stride) * 3);
    expect(relativeError(points, depth, stride)).toBeLessThan(1e-5);
  });

  test('control: half a pixel of shift is told apart', async () => {
    const { points, depth } = await run(backend, WHOLE);
    expect(relativeError(points, depth, 1, 0.5)).toBeGreaterThan(1e-3);
  });

  test('points outside the depth range are the origin, the others unchanged', async () => {
    const all = await run(backend, WHOLE);
    const some = await run(backend, { stride: 1, min_depth: 2, max_depth: 9 });
    let kept = 0;
    for (let i = 0; i < all.depth.length; i++) {
      const inside = all.depth[i] >= 2 && all.depth[i] <= 9;
      kept += inside ? 1 : 0;
      const expected = inside ? [...all.points.subarray(i * 3, i * 3 + 3)] : [0, 0, 0];
      expect([...some.points.subarray(i * 3, i * 3 + 3)].map((value) => value + 0)).toEqual(
        expected,
      );
    }
    expect(kept).toBeGreaterThan(100);
    expect(kept).toBeLessThan(all.depth.length);
  });

  test('colors are those of the pixels', async () => {
    const { colors } = await run(backend, { ...WHOLE, stride: 2 });
    const pixel = (4 * DST.width + 6) * 3;
    const columns = Math.ceil(DST.width / 2);
    const color = colors[2 * columns + 3];
    expect([color & 255, (color >> 8) & 255, color >> 16]).toEqual([
      ...image.subarray(pixel, pixel + 3),
    ]);
  });
});
