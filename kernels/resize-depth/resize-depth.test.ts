import { describe, expect, test } from 'bun:test';
import type { Backend } from '../../src/compute/backend.ts';
import { devices } from '../../test/devices.ts';
import { maxAbsoluteError, seeded } from '../../test/numbers.ts';
import { resizeDepth } from './kernel.ts';

/** [height, width] */
type Size = readonly [number, number];

/** The definition in float64; `aligned: false` is the half-pixel convention, for the control. */
function reference(source: Float32Array, src: Size, dst: Size, scale: number, aligned = true) {
  const locate = (d: number, from: number, to: number) => {
    if (aligned) return to === 1 ? 0 : (d * (from - 1)) / (to - 1);
    return Math.min(Math.max(((d + 0.5) * from) / to - 0.5, 0), from - 1);
  };
  const out = new Float64Array(dst[0] * dst[1]);
  for (let y = 0; y < dst[0]; y++) {
    for (let x = 0; x < dst[1]; x++) {
      const sy = locate(y, src[0], dst[0]);
      const sx = locate(x, src[1], dst[1]);
      let sum = 0;
      for (const j of [Math.floor(sy), Math.floor(sy) + 1]) {
        for (const i of [Math.floor(sx), Math.floor(sx) + 1]) {
          const weight = (1 - Math.abs(sy - j)) * (1 - Math.abs(sx - i));
          if (weight > 0) sum += weight * source[j * src[1] + i];
        }
      }
      out[y * dst[1] + x] = sum * scale;
    }
  }
  return out;
}

async function run(backend: Backend, source: Float32Array, src: Size, dst: Size, scale: number) {
  // Preceded by another map of the batch: the offset must be honoured.
  const padded = new Float32Array(source.length * 2).fill(1e6);
  padded.set(source, source.length);
  const input = backend.upload(padded, [2, ...src]);
  const output = backend.empty('float32', dst);
  backend.run(resizeDepth, [input, output], {
    src_width: src[1],
    src_height: src[0],
    dst_width: dst[1],
    dst_height: dst[0],
    src_offset: source.length,
    depth_scale: scale,
  });
  const result = await backend.download(output);
  backend.release(input, output);
  return result;
}

function depthMap([height, width]: Size): Float32Array {
  const random = seeded(11);
  return Float32Array.from({ length: height * width }, () => 0.5 + random() * 10);
}

describe.each(devices)('resize-depth on %s', (_, backend) => {
  test.each<[Size, Size]>([
    [
      [28, 42],
      [48, 64],
    ],
    [
      [70, 98],
      [31, 17],
    ],
    [
      [14, 14],
      [1, 1],
    ],
    [
      [14, 14],
      [1, 33],
    ],
    [
      [1, 1],
      [5, 7],
    ],
  ])('%p → %p equals the definition in float64', async (src, dst) => {
    const source = depthMap(src);
    const result = await run(backend, source, src, dst, 0.25);
    expect(maxAbsoluteError(result, reference(source, src, dst, 0.25))).toBeLessThan(2e-6);
  });

  test('control: the half-pixel convention is told apart', async () => {
    const source = depthMap([28, 42]);
    const result = await run(backend, source, [28, 42], [48, 64], 1);
    const other = reference(source, [28, 42], [48, 64], 1, false);
    expect(maxAbsoluteError(result, other)).toBeGreaterThan(0.1);
  });

  test('corners stay where they are', async () => {
    const source = depthMap([28, 42]);
    const result = await run(backend, source, [28, 42], [100, 150], 1);
    expect(result[0]).toBe(source[0]);
    expect(result[100 * 150 - 1]).toBe(source[28 * 42 - 1]);
  });
});
