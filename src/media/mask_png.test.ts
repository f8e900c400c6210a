import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import sharp from 'sharp';
import { encodeMaskPng } from './mask_png.ts';
import { drawMask, manifest } from './rle_fixture.ts';
import { countsFromMask } from './rle_pixels.ts';

async function read(png: Uint8Array) {
  // sharp makes three channels of one unless told not to.
  return sharp(png).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
}

const anyMask = fc
  .record({ height: fc.integer({ min: 1, max: 30 }), width: fc.integer({ min: 1, max: 30 }) })
  .chain(({ height, width }) => {
    const size = { minLength: height * width, maxLength: height * width };
    const mask = fc.uint8Array({ ...size, min: 0, max: 1 });
    return fc.record({ mask, height: fc.constant(height), width: fc.constant(width) });
  });

describe('a mask as a PNG', () => {
  test('reads back as 255 inside and 0 outside', async () => {
    await fc.assert(
      fc.asyncProperty(anyMask, async ({ mask, height, width }) => {
        const png = await encodeMaskPng(countsFromMask(mask, height, width), { width, height });
        const { data, info } = await read(png);
        expect([info.width, info.height, info.channels]).toEqual([width, height, 1]);
        expect([...data]).toEqual([...mask].map((value) => value * 255));
      }),
    );
  });

  test.each(manifest.masks.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const mask = drawMask(one);
    const counts = countsFromMask(mask, one.height, one.width);
    const { data } = await read(await encodeMaskPng(counts, one));
    expect(
      Buffer.compare(
        data,
        mask.map((value) => value * 255),
      ),
    ).toBe(0);
    const flipped = mask.with(0, 1 - mask[0]).map((value) => value * 255);
    expect(Buffer.compare(data, flipped)).not.toBe(0);
  });

  test('is 8-bit grey without a palette, which every reader takes', async () => {
    const { bitsPerSample, channels, isPalette, space } = await sharp(
      await encodeMaskPng([2, 3, 1], { width: 3, height: 2 }),
    ).metadata();
    expect({ bitsPerSample, channels, isPalette, space }).toEqual({
      bitsPerSample: 8,
      channels: 1,
      isPalette: false,
      space: 'b-w',
    });
  });

  test('refuses runs of another size', async () => {
    const size = { width: 3, height: 2 };
    await expect(encodeMaskPng([2, 3], size)).rejects.toThrow('5 pixels do not fill a mask of 3x2');
  });
});
