import { describe, expect, test } from 'bun:test';
import sharp from 'sharp';
import { MediaError } from './errors.ts';
import { decodeMask, resizeMask } from './mask_image.ts';

const LIMITS = { maxPixels: 1e4, maxBytes: 1e5, field: 'mask' };
/** 4×3; labels as small as they come. */
const LABELS = [0, 1, 0, 0, 0, 2, 7, 0, 0, 0, 255, 0];
const INSIDE = LABELS.map((label) => (label > 0 ? 255 : 0));
const raw = { width: 4, height: 3, channels: 1 } as const;

const grey = () => sharp(Uint8Array.from(LABELS), { raw }).toColourspace('b-w');
const deep = () => sharp(Uint16Array.from(LABELS), { raw }).toColourspace('grey16');

describe('a mask is what is not black', () => {
  test.each<[string, () => Promise<Buffer>]>([
    ['in 8 bits', () => grey().png().toBuffer()],
    ['in 16 bits, where labels are small', () => deep().png().toBuffer()],
    ['in colours', () => grey().toColourspace('srgb').png().toBuffer()],
    [
      'with alpha, which says nothing',
      () => grey().toColourspace('srgb').ensureAlpha(0).png().toBuffer(),
    ],
    ['as WebP', () => grey().toColourspace('srgb').webp({ lossless: true }).toBuffer()],
  ])('%s', async (_, encode) => {
    const { data, width, height } = await decodeMask(await encode(), LIMITS);
    expect({ width, height, data: [...data] }).toEqual({ width: 4, height: 3, data: INSIDE });
  });

  test('in one colour only', async () => {
    const blue = Uint8Array.from(LABELS.flatMap((label) => [0, 0, label]));
    const png = await sharp(blue, { raw: { ...raw, channels: 3 } })
      .png()
      .toBuffer();
    expect([...(await decodeMask(png, LIMITS)).data]).toEqual(INSIDE);
  });
});

describe('refused', () => {
  test.each<[string, () => Promise<Uint8Array>, RegExp]>([
    ['nothing', async () => new Uint8Array(), /^mask is empty/],
    [
      'no picture',
      async () => new TextEncoder().encode('hello there'),
      /^mask is .*expected a JPEG/,
    ],
    ['a cut one', async () => (await deep().png().toBuffer()).subarray(0, 60), /^mask .*truncated/],
    [
      'a large one',
      () =>
        sharp(new Uint8Array(200 * 200), { raw: { width: 200, height: 200, channels: 1 } })
          .png()
          .toBuffer(),
      /40000 pixels/,
    ],
  ])('%s', async (_, make, message) => {
    const error = await decodeMask(await make(), LIMITS).catch((reason) => reason);
    expect(error).toBeInstanceOf(MediaError);
    expect(error.message).toMatch(message);
  });
});

describe('at another size', () => {
  const mask = { data: Uint8Array.from(INSIDE), width: 4, height: 3 };

  test('each pixel is the nearest one’s', () => {
    const { data, width, height } = resizeMask(mask, 8, 6);
    expect({ width, height }).toEqual({ width: 8, height: 6 });
    for (let v = 0; v < 6; v++) {
      for (let u = 0; u < 8; u++) expect(data[v * 8 + u]).toBe(INSIDE[(v >> 1) * 4 + (u >> 1)]);
    }
    expect([...resizeMask({ data, width, height }, 4, 3).data]).toEqual(INSIDE);
  });

  test('the same size is the same mask', () => {
    expect(resizeMask(mask, 4, 3)).toBe(mask);
  });
});
