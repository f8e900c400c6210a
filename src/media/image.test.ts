/**
 * Proves that decodeImage gives the pixels that cv2.imread gives. The references are the pixels
 * that went into each file, transformed here in plain TypeScript; all formats below were also
 * compared with OpenCV 5.0 once, by hand, with the same outcome.
 */
import { describe, expect, test } from 'bun:test';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { decodeImage, type RgbImage } from './image.ts';
import { noise, tiff } from './image_fixture.ts';

const LIMITS = { maxPixels: 1_000_000, maxBytes: 1_000_000 };
const W = 31;
const H = 17;

const decode = (bytes: Uint8Array) => decodeImage(bytes, LIMITS);
const raw = (data: Uint8Array | Uint16Array, channels: 1 | 2 | 3 | 4) =>
  sharp(data, { raw: { width: W, height: H, channels } });

const rgb = noise(W * H * 3);
/** A soft gradient: what lossy codecs keep. */
const smooth = new Uint8Array(W * H * 3).map((_, i) => {
  const pixel = Math.floor(i / 3);
  return 60 + 4 * (i % 3 === 0 ? pixel % W : Math.floor(pixel / W)) + (i % 3) * 8;
});

/** Every `take` of `of` channels. */
function channels(data: Uint8Array, of: number, take: readonly number[]): Uint8Array {
  const pixels = data.length / of;
  return new Uint8Array(pixels * take.length).map(
    (_, i) => data[Math.floor(i / take.length) * of + take[i % take.length]],
  );
}

function expectPixels(image: RgbImage, expected: Uint8Array, width = W, height = H): void {
  expect([image.width, image.height]).toEqual([width, height]);
  expect(Buffer.compare(image.data, expected)).toBe(0);
}

function largestDifference(a: Uint8Array, b: Uint8Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
}

describe('formats', () => {
  test('PNG, lossless WebP and TIFF give the stored pixels', async () => {
    expectPixels(await decode(await raw(rgb, 3).png().toBuffer()), rgb);
    expectPixels(await decode(await raw(rgb, 3).webp({ lossless: true }).toBuffer()), rgb);
    expectPixels(await decode(await raw(rgb, 3).tiff({ compression: 'lzw' }).toBuffer()), rgb);
    expectPixels(await decode(await raw(rgb, 3).png({ progressive: true }).toBuffer()), rgb);
    // The control: other pixels are noticed.
    const other = await decode(
      await raw(noise(W * H * 3, 2), 3)
        .png()
        .toBuffer(),
    );
    expect(Buffer.compare(other.data, rgb)).not.toBe(0);
  });

  test.each(['jpeg', 'webp', 'avif'] as const)('%s gives them within its loss', async (format) => {
    const file = await raw(smooth, 3).toFormat(format, { quality: 95 }).toBuffer();
    const image = await decode(file);
    expect([image.width, image.height]).toEqual([W, H]);
    expect(largestDifference(image.data, smooth)).toBeLessThan(16);
  });

  test('progressive JPEG', async () => {
    const file = await raw(smooth, 3).jpeg({ progressive: true, quality: 95 }).toBuffer();
    expect(largestDifference((await decode(file)).data, smooth)).toBeLessThan(16);
  });

  test('palette: PNG and GIF', async () => {
    const few = rgb.map((value) => (value > 127 ? 255 : 0));
    expectPixels(await decode(await raw(few, 3).png({ palette: true }).toBuffer()), few);
    expectPixels(await decode(await raw(few, 3).gif().toBuffer()), few);
  });
});

describe('samples', () => {
  test('grey becomes three equal channels', async () => {
    const grey = noise(W * H);
    const file = await raw(grey, 1).toColourspace('b-w').png().toBuffer();
    expect((await sharp(file).metadata()).channels).toBe(1);
    expectPixels(await decode(file), channels(grey, 1, [0, 0, 0]));
  });

  test('alpha is dropped, not blended: a fully transparent pixel keeps its colour', async () => {
    const rgba = noise(W * H * 4);
    rgba[3] = 0;
    const expected = channels(rgba, 4, [0, 1, 2]);
    expectPixels(await decode(await raw(rgba, 4).png().toBuffer()), expected);
    const lossless = { lossless: true, exact: true };
    expectPixels(await decode(await raw(rgba, 4).webp(lossless).toBuffer()), expected);
  });

  test('grey with alpha', async () => {
    const pairs = noise(W * H * 2);
    const file = await raw(pairs, 2).toColourspace('b-w').png().toBuffer();
    expectPixels(await decode(file), channels(pairs, 2, [0, 0, 0]));
  });

  test('16 bits lose their low byte: PNG in RGB, RGBA and grey', async () => {
    const deep = (count: number) => new Uint16Array(noise(count * 2).buffer);
    const high = (data: Uint16Array) => Uint8Array.from(data, (value) => value >> 8);
    for (const count of [1, 3, 4] as const) {
      const data = deep(W * H * count);
      const space = count === 1 ? 'grey16' : 'rgb16';
      const file = await raw(data, count).toColourspace(space).png().toBuffer();
      expect((await sharp(file).metadata()).depth).toBe('ushort');
      const take = count === 1 ? [0, 0, 0] : [0, 1, 2];
      expectPixels(await decode(file), channels(high(data), count, take));
    }
  });

  test('16-bit grey TIFF', async () => {
    const data = noise(W * H * 2);
    const file = tiff({ width: W, height: H, photometric: 1, samples: 1, bits: 16 }, data);
    expectPixels(await decode(file), channels(data, 2, [1, 1, 1]));
  });

  test('CMYK by the inks, not through a profile', async () => {
    // Paper, the three inks, black, and a mixture: 255 - 51 = 204; 204 - (100 * 204 >> 8) = 125.
    const inks = [0, 0, 0, 0, 255, 0, 0, 0, 0, 255, 0, 0, 0, 0, 255, 0, 0, 0, 0, 255];
    const cmyk = new Uint8Array([...inks, 100, 0, 200, 51]);
    const file = tiff({ width: 6, height: 1, photometric: 5, samples: 4, bits: 8 }, cmyk);
    const { data } = await decode(file);
    const paperAndInks = [255, 255, 255, 1, 255, 255, 255, 1, 255, 255, 255, 1, 0, 0, 0];
    expect([...data]).toEqual([...paperAndInks, 125, 204, 45]);
  });

  test('CMYK JPEG, whose inks are stored inverted', async () => {
    const bands = new Uint8Array(W * H * 3).map((_, i) => (i % (W * 3) < 45 ? 255 : 0));
    const file = await raw(bands, 3).toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer();
    expect((await sharp(file).metadata()).space).toBe('cmyk');
    const { data } = await decode(file);
    expect(Math.min(...data.subarray(0, 9))).toBeGreaterThan(240);
    expect(Math.max(...data.subarray(W * 3 - 9, W * 3))).toBeLessThan(70);
  });

  test('an ICC profile is ignored', async () => {
    const red = new Uint8Array(W * H * 3).map((_, i) => (i % 3 === 0 ? 255 : 0));
    const file = await raw(red, 3).withIccProfile('p3').png().toBuffer();
    const [r, g, b] = (await decode(file)).data;
    // sRGB red in the coordinates of Display P3 is (234, 51, 35).
    expect(Math.max(Math.abs(r - 234), Math.abs(g - 51), Math.abs(b - 35))).toBeLessThanOrEqual(2);
    // The control: with the profile honoured it is red again.
    const honoured = await sharp(file).raw().toBuffer();
    expect(honoured[1]).toBeLessThan(5);
  });
});

describe('frames and orientation', () => {
  test.each(['gif', 'webp'] as const)('the first frame of an animated %s', async (format) => {
    const colours = [
      [255, 0, 0],
      [0, 0, 255],
    ];
    const frames = colours.map((colour) => new Uint8Array(W * H * 3).map((_, i) => colour[i % 3]));
    const files = await Promise.all(frames.map((frame) => raw(frame, 3).png().toBuffer()));
    const joined = sharp(files, { join: { animated: true } });
    const file = await joined.toFormat(format, { lossless: true }).toBuffer();
    expect((await sharp(file).metadata()).pages).toBe(2);
    expectPixels(await decode(file), frames[0]);
  });

  /** Where the pixel shown at (x, y) is stored (EXIF 2.32, tag 274), for a stored W×H. */
  const stored: Record<number, (x: number, y: number) => readonly [number, number]> = {
    1: (x, y) => [x, y],
    2: (x, y) => [W - 1 - x, y],
    3: (x, y) => [W - 1 - x, H - 1 - y],
    4: (x, y) => [x, H - 1 - y],
    5: (x, y) => [y, x],
    6: (x, y) => [y, H - 1 - x],
    7: (x, y) => [W - 1 - y, H - 1 - x],
    8: (x, y) => [W - 1 - y, x],
  };

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('EXIF orientation %d', async (orientation) => {
    const [width, height] = orientation > 4 ? [H, W] : [W, H];
    const expected = new Uint8Array(rgb.length).map((_, i) => {
      const pixel = Math.floor(i / 3);
      const [x, y] = stored[orientation](pixel % width, Math.floor(pixel / width));
      return rgb[(y * W + x) * 3 + (i % 3)];
    });
    const png = await raw(rgb, 3).withMetadata({ orientation }).png().toBuffer();
    expectPixels(await decode(png), expected, width, height);
    const lossless = raw(rgb, 3).withMetadata({ orientation }).webp({ lossless: true });
    expectPixels(await decode(await lossless.toBuffer()), expected, width, height);
  });
});

describe('the buffer', () => {
  test('moves to another thread whole, and the input is left alone', async () => {
    const file = await raw(rgb, 3).png().toBuffer();
    const padded = new Uint8Array(file.length + 100).fill(7);
    padded.set(file, 50);
    const image = await decode(padded.subarray(50, 50 + file.length));
    expectPixels(image, rgb);
    expect(Buffer.compare(padded.subarray(50, 50 + file.length), file)).toBe(0);
    const moved = structuredClone(image, { transfer: [image.data.buffer] });
    expect(image.data.length).toBe(0);
    expectPixels(moved, rgb);
  });

  test('decodes at the same time do not mix', async () => {
    const sources = Array.from({ length: 12 }, (_, i) => noise(W * H * 3, i + 1));
    const files = await Promise.all(sources.map((data) => raw(data, 3).png().toBuffer()));
    const images = await Promise.all(files.map(decode));
    for (const [i, image] of images.entries()) expectPixels(image, sources[i]);
  });

  test('is given back: decoding over and over keeps nothing', () => {
    // In a process of its own: what the other tests hold comes and goes.
    const script = fileURLToPath(new URL('../../test/decode_leak.ts', import.meta.url));
    const { stdout } = Bun.spawnSync([process.execPath, script]);
    const grown = stdout.toString().trim();
    expect(grown).toMatch(/^-?\d+$/);
    expect(Number(grown)).toBeLessThan(100e6);
  });
});
