/** Proves that whatever isn't a sound picture within the limits ends in a clear MediaError. */
import { describe, expect, test } from 'bun:test';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import sharp from 'sharp';
import { MediaError } from './errors.ts';
import { decodeImage, type ImageLimits } from './image.ts';
import { gifOfSize, latin1, noise, pngOfSize, tiff } from './image_fixture.ts';

const LIMITS: ImageLimits = { maxPixels: 1_000_000, maxBytes: 1_000_000, field: 'photo' };
const W = 64;
const H = 48;
const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>';
const picture = () => sharp(noise(W * H * 3), { raw: { width: W, height: H, channels: 3 } });

async function refusal(bytes: Uint8Array, limits: Partial<ImageLimits> = {}): Promise<MediaError> {
  const error = await decodeImage(bytes, { ...LIMITS, ...limits }).then(
    ({ width, height }) => new Error(`it was decoded: ${width}x${height}`),
    (cause) => cause,
  );
  expect(error).toBeInstanceOf(MediaError);
  expect(error.field).toBe('photo');
  expect(error.message).toStartWith('photo ');
  return error;
}

describe('not an image', () => {
  test.each([
    ['', 'is empty'],
    ['hello, world', 'is 12 bytes of an unknown type'],
    [SVG, 'is an SVG document'],
    [`\xef\xbb\xbf\n  ${SVG}`, 'is an SVG document'],
    [`<?xml version="1.0"?>${SVG}`, 'is an XML document'],
    ['<!DOCTYPE html><html></html>', 'is an HTML page'],
    ['%PDF-1.7\n', 'is a PDF document'],
    ['%!PS-Adobe-3.0', 'is a PostScript file'],
    ['{"detail":"no"}', 'is JSON'],
    ['PK\x03\x04', 'is a zip archive'],
    ['\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'is a HEIC image'],
    ['\0\0\0\x18ftypisom\0\0\0\0isom', 'is an MP4 or QuickTime video'],
  ])('%j', async (text, why) => {
    const error = await refusal(latin1(text));
    expect(error.status).toBe(422);
    expect(error.message).toContain(why);
    expect(error.message).toContain('expected a JPEG, PNG, WebP, GIF, TIFF or AVIF file');
  });

  test.each([
    ['\xff\xd8\xff'],
    ['\x89PNG\r\n\x1a\n'],
    ['GIF89a'],
    ['II*\0'],
    ['RIFF\0\0\0\0WEBP'],
    ['\0\0\0\x1cftypavif'],
    ['\0\0\0\x1cftypmif1'],
  ])('an SVG behind the signature %j never reaches its renderer', async (signature) => {
    const error = await refusal(latin1(signature + SVG));
    expect(error.status).toBe(422);
    expect(error.message).toContain('is truncated or corrupt');
  });

  test('random bytes', async () => {
    expect((await refusal(noise(1_000))).status).toBe(422);
  });
});

describe('truncated', () => {
  const files = {
    jpeg: () => picture().jpeg(),
    'progressive jpeg': () => picture().jpeg({ progressive: true }),
    png: () => picture().png(),
    webp: () => picture().webp(),
    'lossless webp': () => picture().webp({ lossless: true }),
    gif: () => picture().gif(),
    avif: () => picture().avif(),
    tiff: () => picture().tiff({ compression: 'none' }),
  };

  test.each(Object.keys(files) as (keyof typeof files)[])('%s', async (name) => {
    const file = await files[name]().toBuffer();
    // The control: whole, it decodes.
    expect((await decodeImage(file, LIMITS)).width).toBe(W);
    for (const share of [0.02, 0.3, 0.6, 0.9]) {
      const error = await refusal(file.subarray(0, Math.max(16, Math.floor(file.length * share))));
      expect(error.status).toBe(422);
      expect(error.message).toContain('is truncated or corrupt');
    }
  });

  test('whatever byte is changed, the outcome is a picture or a MediaError', async () => {
    const sources = await Promise.all(Object.values(files).map((make) => make().toBuffer()));
    const change = fc.record({
      source: fc.constantFrom(...sources),
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      value: fc.nat(255),
    });
    await fc.assert(
      fc.asyncProperty(change, async ({ source, at, value }) => {
        const bytes = new Uint8Array(source);
        bytes[Math.floor(at * bytes.length)] = value;
        const outcome = await decodeImage(bytes, LIMITS).catch((cause) => cause);
        if (outcome instanceof MediaError) return;
        expect(outcome.data.length).toBe(outcome.width * outcome.height * 3);
      }),
      { numRuns: 150 },
    );
  });
});

describe('sizes', () => {
  test('0x0', async () => {
    for (const file of [pngOfSize(0, 0, deflateSync('')), gifOfSize(0, 0)]) {
      expect((await refusal(file)).status).toBe(422);
    }
  });

  test('a bomb is refused by its header', async () => {
    // There isn't a pixel in the file: whoever tried to decode would find it truncated instead.
    const error = await refusal(pngOfSize(30_000, 20_000, new Uint8Array()));
    expect(error.status).toBe(422);
    expect(error.message).toBe(
      'photo (PNG) is 30000x20000 = 600000000 pixels; at most 1000000 are decoded.',
    );
  });

  test('a bomb that is all there', async () => {
    const rows = new Uint8Array(5_001 * 5_000);
    const file = pngOfSize(5_000, 5_000, deflateSync(rows, { level: 9 }));
    expect(file.length).toBeLessThan(30_000);
    expect((await refusal(file)).message).toContain('5000x5000');
    // The control: it is a sound file, and decodes where the limit allows.
    const image = await decodeImage(file, { ...LIMITS, maxPixels: 25_000_000 });
    expect(image.data.length).toBe(75_000_000);
  });

  test('the limits are inclusive', async () => {
    const file = await picture().png().toBuffer();
    const exact = { ...LIMITS, maxPixels: W * H, maxBytes: file.length };
    expect((await decodeImage(file, exact)).width).toBe(W);
    const tooMany = await refusal(file, { ...exact, maxPixels: W * H - 1 });
    expect(tooMany.message).toContain('64x48 = 3072 pixels; at most 3071');
    const tooLong = await refusal(file, { ...exact, maxBytes: file.length - 1 });
    expect(tooLong.status).toBe(413);
    expect(tooLong.message).toContain(`at most ${file.length - 1} are taken`);
  });

  test('the next picture decodes', async () => {
    expect((await decodeImage(await picture().png().toBuffer(), LIMITS)).height).toBe(H);
  });
});

test('float samples have no agreed range', async () => {
  const layout = { width: 4, height: 2, photometric: 1, samples: 1, bits: 32, sampleFormat: 3 };
  const error = await refusal(tiff(layout, new Uint8Array(new Float32Array(8).fill(0.5).buffer)));
  expect(error.status).toBe(422);
  expect(error.message).toContain('has float samples');
});
