/** Proves the PNG encoders by decoding what they wrote. */
import { describe, expect, test } from 'bun:test';
import sharp from 'sharp';
import { encodeColormapPng, encodeDepthPng16, encodeRgbPng } from './png.ts';

async function readPng16(file: Uint8Array): Promise<number[]> {
  const header = await sharp(file).metadata();
  expect([header.format, header.depth, header.channels]).toEqual(['png', 'ushort', 1]);
  const raw = await sharp(file).toColourspace('grey16').raw({ depth: 'ushort' }).toBuffer();
  return [...new Uint16Array(raw.buffer, raw.byteOffset, raw.length / 2)];
}

async function readRgb(file: Uint8Array): Promise<number[][]> {
  const raw = await sharp(file).raw().toBuffer();
  return Array.from({ length: raw.length / 3 }, (_, i) => [...raw.subarray(i * 3, i * 3 + 3)]);
}

describe('encodeDepthPng16', () => {
  test('millimetres, nearest, halves up, saturating, 0 for no depth', async () => {
    const [nan, infinity] = [Number.NaN, Number.POSITIVE_INFINITY];
    const depth = [
      1,
      0.0014,
      0.0016,
      0.5625,
      65.535,
      65.6,
      infinity,
      0,
      -1,
      -infinity,
      nan,
      0.0004,
    ];
    const file = await encodeDepthPng16(new Float32Array(depth), 4, 3);
    const expected = [1000, 1, 2, 563, 65535, 65535, 65535, 0, 0, 0, 0, 0];
    expect(await readPng16(file)).toEqual(expected);
  });

  test('every value of 16 bits survives, so nothing passes through 8 bits or a gamma', async () => {
    const all = Array.from({ length: 65536 }, (_, i) => i);
    const depth = new Float32Array(all.map((mm) => mm / 1000));
    expect(await readPng16(await encodeDepthPng16(depth, 256, 256))).toEqual(all);
  });

  test('the size must fit', async () => {
    await expect(encodeDepthPng16(new Float32Array(5), 2, 3)).rejects.toThrow(
      '5 values do not fill 2x3',
    );
  });
});

describe('encodeColormapPng', () => {
  const colours = async (values: number[], options: object = {}) =>
    readRgb(
      await encodeColormapPng(new Float32Array(values), values.length, 1, {
        colormap: 'gray',
        ...options,
      }),
    );
  const grey = (...levels: number[]) => levels.map((level) => [level, level, level]);

  test('the finite range by default; NaN is black; infinities take the ends', async () => {
    const values = [2, 4, 3, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    expect(await colours(values)).toEqual(grey(0, 255, 128, 0, 255, 0));
  });

  test('a given range, clamped, and inverted', async () => {
    expect(await colours([0, 5, 10, 20], { min: 0, max: 10 })).toEqual(grey(0, 128, 255, 255));
    const inverted = await colours([0, 5, 10, 20], { min: 0, max: 10, invert: true });
    expect(inverted).toEqual(grey(255, 128, 0, 0));
  });

  test('one value, or none that is finite, has no range', async () => {
    expect(await colours([3, 3])).toEqual(grey(0, 0));
    expect(await colours([Number.NaN, Number.NaN])).toEqual(grey(0, 0));
  });

  test('in colour', async () => {
    const viridis = await colours([0, 1], { colormap: 'viridis' });
    expect(viridis).toEqual([
      [68, 1, 84],
      [253, 231, 37],
    ]);
  });

  test('min above max', async () => {
    await expect(colours([1, 2], { min: 3, max: 1 })).rejects.toThrow('min 3 is above max 1');
  });
});

test('encodeRgbPng is lossless', async () => {
  const rgb = new Uint8Array(300).map((_, i) => i * 91);
  expect((await readRgb(await encodeRgbPng(rgb, 10, 10))).flat()).toEqual([...rgb]);
});
