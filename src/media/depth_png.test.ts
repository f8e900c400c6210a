/** Proves that depth is read to the unit, and that what has lost its depths is refused. */
import { describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { decodeDepthPng } from './depth_png.ts';
import { MediaError } from './errors.ts';
import { encodeDepthPng16 } from './png.ts';

const LIMITS = { maxPixels: 1e6, maxBytes: 1e6 };

/** A PNG by hand: 16-bit grey, no filter, with chunks between header and pixels. */
function pngOf(values: readonly number[], width: number, extra: readonly Buffer[] = []): Buffer {
  const height = values.length / width;
  const rows: number[] = [];
  values.forEach((value, at) => {
    if (at % width === 0) rows.push(0);
    rows.push(value >> 8, value & 255);
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([16, 0, 0, 0, 0], 8);
  const pixels = chunk('IDAT', deflateSync(Buffer.from(rows)));
  const magic = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([magic, chunk('IHDR', header), ...extra, pixels, chunk('IEND')]);
}

function chunk(name: string, data: Buffer = Buffer.alloc(0)): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(Bun.hash.crc32(body));
  return Buffer.concat([length, body, check]);
}

const VALUES = [0, 1, 255, 256, 257, 1000, 12345, 32767, 32768, 65279, 65534, 65535];

async function refusal(bytes: Uint8Array, limits = {}): Promise<MediaError> {
  const outcome = await decodeDepthPng(bytes, { ...LIMITS, ...limits }).catch((cause) => cause);
  if (outcome instanceof MediaError) return outcome;
  throw new Error(`expected a MediaError, got ${outcome}`);
}

describe('16-bit grey', () => {
  test('is read to the unit', async () => {
    const { data, width, height } = await decodeDepthPng(pngOf(VALUES, 4), LIMITS);
    expect([width, height]).toEqual([4, 3]);
    expect([...data]).toEqual(VALUES);
    expect(data.byteLength).toBe(data.buffer.byteLength);
  });

  test('is the same with gamma, a transparent value, or a rotation', async () => {
    const gamma = Buffer.alloc(4);
    gamma.writeUInt32BE(45455);
    const clear = Buffer.from([0, 1]);
    const exif = Buffer.from('4d4d002a00000008000101120003000000010006000000000000', 'hex');
    const chunks = [
      [chunk('gAMA', gamma)],
      [chunk('tRNS', clear)],
      [chunk('eXIf', exif)],
      [chunk('gAMA', gamma), chunk('tRNS', clear)],
    ];
    for (const extra of chunks) {
      const { data, width } = await decodeDepthPng(pngOf(VALUES, 4, extra), LIMITS);
      expect([width, ...data]).toEqual([4, ...VALUES]);
    }
  });

  test('is the way back from metres', async () => {
    const metres = Float32Array.of(0, 0.001, 1.5, 65.535);
    const { data } = await decodeDepthPng(await encodeDepthPng16(metres, 2, 2), LIMITS);
    expect([...data]).toEqual([0, 1, 1500, 65535]);
  });
});

describe('refused', () => {
  const raw = (channels: 1 | 3) =>
    sharp(new Uint8Array(4 * channels), { raw: { width: 2, height: 2, channels } });

  test('8 bits', async () => {
    const grey = await raw(1).toColourspace('b-w').png().toBuffer();
    const error = await refusal(grey, { field: 'images[0].depth' });
    expect(error.message).toMatch(
      /^images\[0\]\.depth is a PNG with 8-bit samples; expected a 16-bit grey PNG/,
    );
    expect([error.status, error.field]).toEqual([422, 'images[0].depth']);
    expect((await refusal(await raw(3).png().toBuffer())).message).toMatch(/8-bit samples/);
    const palette = await raw(3).png({ palette: true, colours: 2 }).toBuffer();
    expect((await refusal(palette)).message).toMatch(/-bit samples; expected a 16-bit/);
  });

  test('16-bit colours', async () => {
    const rgb = await raw(3).toColourspace('rgb16').png().toBuffer();
    expect((await refusal(rgb)).message).toMatch(
      /a PNG with 3 colours; expected a 16-bit grey PNG/,
    );
  });

  test('other formats and no format', async () => {
    expect((await refusal(await raw(3).jpeg().toBuffer())).message).toMatch(/a JPEG picture/);
    expect((await refusal(new Uint8Array())).message).toMatch(/depth is empty/);
    expect((await refusal(Buffer.from('PK\x03\x04'))).message).toMatch(/a zip archive/);
  });

  test('cut, corrupt, too large', async () => {
    const whole = pngOf(Array(64 * 64).fill(1000), 64);
    expect((await refusal(whole.subarray(0, whole.length - 20))).message).toMatch(/truncated/);
    expect((await refusal(whole.subarray(0, 20))).message).toMatch(/truncated or corrupt/);
    expect((await refusal(whole, { maxPixels: 4095 })).message).toMatch(/64x64 = 4096 pixels/);
    expect((await refusal(whole, { maxBytes: 10 })).status).toBe(413);
  });
});

const LMO = join(import.meta.dir, '../../../shared/data/pose/lmo/depth.png');
const hasLmo = existsSync(LMO);
if (!hasLmo) console.warn(`skipped: a real depth map, because ${LMO} is absent`);

test.skipIf(!hasLmo)("the LM-O frame has OpenCV's values", async () => {
  const { data, width, height } = await decodeDepthPng(await Bun.file(LMO).bytes(), LIMITS);
  expect([width, height]).toEqual([640, 480]);
  const sum = data.reduce((total, value) => total + value, 0);
  // cv2.imread(path, cv2.IMREAD_UNCHANGED), OpenCV 5.0.
  expect({ sum, max: Math.max(...data), valid: data.filter((value) => value > 0).length }).toEqual({
    sum: 342_493_551,
    max: 1804,
    valid: 291_323,
  });
});
