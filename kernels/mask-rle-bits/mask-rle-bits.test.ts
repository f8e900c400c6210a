import { describe, expect, test } from 'bun:test';
import type { Backend } from '../../src/compute/backend.ts';
import { devices } from '../../test/devices.ts';
import { seeded } from '../../test/numbers.ts';
import { maskRleBits } from './kernel.ts';
import { halfPixelPositions } from './positions.ts';

type Size = readonly [height: number, width: number];

interface Case {
  readonly maps: number;
  readonly src: Size;
  readonly dst: Size;
  readonly selected: readonly number[];
  readonly threshold: number;
}

/** float32 positions are within 1.5e-5 of a logit, of which neighbours differ by up to 16. */
const ROUNDING = 5e-4;

function noise({ maps, src }: Case): Float32Array {
  const random = seeded(17);
  return Float32Array.from({ length: maps * src[0] * src[1] }, () => random() * 16 - 8);
}

/**
 * Upsampled logits by the definition in float64: half-pixel centres with the border replicated, or
 * corners on corners.
 */
function reference(logits: Float32Array, map: number, src: Size, dst: Size, aligned = false) {
  const axis = (d: number, from: number, to: number) => {
    const centre = Math.max(((d + 0.5) * from) / to - 0.5, 0);
    const position = aligned ? (d * (from - 1)) / Math.max(to - 1, 1) : centre;
    const low = Math.min(Math.floor(position), from - 1);
    return { low, high: Math.min(low + 1, from - 1), t: position - low };
  };
  const at = (y: number, x: number) => logits[(map * src[0] + y) * src[1] + x];
  const values = new Float64Array(dst[0] * dst[1]);
  for (let i = 0; i < dst[0]; i++) {
    const y = axis(i, src[0], dst[0]);
    for (let j = 0; j < dst[1]; j++) {
      const x = axis(j, src[1], dst[1]);
      const upper = at(y.low, x.low) * (1 - x.t) + at(y.low, x.high) * x.t;
      const lower = at(y.high, x.low) * (1 - x.t) + at(y.high, x.high) * x.t;
      values[i * dst[1] + j] = upper * (1 - y.t) + lower * y.t;
    }
  }
  return values;
}

async function run(backend: Backend, logits: Float32Array, one: Case): Promise<Uint32Array> {
  const { src, dst, selected, threshold, maps } = one;
  const tensors = [
    backend.upload(logits, [maps, ...src]),
    backend.upload(Uint32Array.from(selected), [selected.length]),
    backend.upload(halfPixelPositions(src[1], dst[1]), [dst[1]]),
    backend.upload(halfPixelPositions(src[0], dst[0]), [dst[0]]),
  ];
  const bits = backend.empty('uint32', [selected.length, dst[1], Math.ceil(dst[0] / 32)]);
  backend.run(maskRleBits, [...tensors, bits], {
    src_width: src[1],
    src_height: src[0],
    dst_width: dst[1],
    dst_height: dst[0],
    masks: selected.length,
    threshold,
  });
  const result = await backend.download(bits);
  backend.release(...tensors, bits);
  return result;
}

/** Pixels that differ from the reference, and those too near the threshold to tell. */
function compare(bits: Uint32Array, logits: Float32Array, one: Case, aligned = false) {
  const { src, dst, selected, threshold } = one;
  const words = Math.ceil(dst[0] / 32);
  let wrong = 0;
  let doubtful = 0;
  selected.forEach((map, mask) => {
    const values = reference(logits, map, src, dst, aligned);
    for (let y = 0; y < words * 32; y++) {
      for (let x = 0; x < dst[1]; x++) {
        const bit = (bits[(mask * dst[1] + x) * words + (y >> 5)] >>> (y & 31)) & 1;
        // Past the last row there is nothing.
        const value = y < dst[0] ? values[y * dst[1] + x] : Number.NEGATIVE_INFINITY;
        if (Math.abs(value - threshold) < ROUNDING) doubtful++;
        else if (bit !== Number(value > threshold)) wrong++;
      }
    }
  });
  return { wrong, doubtful };
}

const UP: Case = { maps: 3, src: [13, 11], dst: [97, 130], selected: [2, 0], threshold: 0 };
const CASES: Record<string, Case> = {
  'up, some maps in another order': UP,
  'up to whole words': { ...UP, dst: [64, 64] },
  'up to one row more than whole words': { ...UP, dst: [65, 3] },
  'up by much': { ...UP, dst: [1000, 5], selected: [1] },
  down: { ...UP, src: [60, 70], dst: [7, 9] },
  'down and up': { ...UP, src: [60, 3], dst: [7, 90] },
  'the same size': { ...UP, src: [33, 40], dst: [33, 40] },
  'one pixel': { ...UP, dst: [1, 1] },
  'one logit': { ...UP, src: [1, 1], dst: [40, 5], selected: [0, 1, 2] },
  'another threshold': { ...UP, threshold: 2.5 },
};

describe.each(devices)('mask-rle-bits on %s', (_, backend) => {
  test.each(Object.entries(CASES))(
    '%s: the pixels of the definition in float64',
    async (_, one) => {
      const logits = noise(one);
      const { wrong, doubtful } = compare(await run(backend, logits, one), logits, one);
      expect(wrong).toBe(0);
      expect(doubtful).toBeLessThanOrEqual(one.dst[0] * one.dst[1] * 1e-3);
    },
  );

  test('control: aligned corners, a neighbouring map and another threshold are told apart', async () => {
    const logits = noise(UP);
    const bits = await run(backend, logits, UP);
    expect(compare(bits, logits, UP, true).wrong).toBeGreaterThan(100);
    expect(compare(bits, logits, { ...UP, selected: [2, 1] }).wrong).toBeGreaterThan(100);
    expect(compare(bits, logits, { ...UP, threshold: 0.1 }).wrong).toBeGreaterThan(10);
  });

  test('a logit on the threshold is outside', async () => {
    const one: Case = { maps: 1, src: [2, 2], dst: [8, 8], selected: [0], threshold: 1 };
    expect([...(await run(backend, new Float32Array(4).fill(1), one))]).toEqual(Array(8).fill(0));
  });
});

test('positions are PyTorch’s, of which some are float32’s and not the exact ones', () => {
  const positions = halfPixelPositions(256, 1800);
  const exact = Array.from(positions, (_, d) => Math.max(((d + 0.5) * 256) / 1800 - 0.5, 0));
  const errors = exact.map((position, d) => Math.abs(positions[d] - position));
  expect(Math.max(...errors)).toBeLessThan(1.6e-5);
  expect(errors.some((error, d) => error > 0 && positions[d] !== Math.fround(exact[d]))).toBe(true);
});
