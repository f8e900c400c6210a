/** Proves that base64 is decoded exactly, or refused: never repaired in silence. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { MediaError } from './errors.ts';

const LIMITS = { maxBytes: 10_000, field: 'image' };

function refusal(text: string, limits = LIMITS): MediaError {
  try {
    decodeBase64(text, limits);
  } catch (cause) {
    expect(cause).toBeInstanceOf(MediaError);
    expect(cause).toMatchObject({ field: 'image' });
    return cause as MediaError;
  }
  throw new Error(`it was decoded: ${text}`);
}

/** Any bytes with their base64 as Node's encoder, the independent reference, writes it. */
const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 });

describe('decodeBase64', () => {
  test('gives the bytes back: plain, as a data URL, URL-safe with and without padding', () => {
    fc.assert(
      fc.property(bytes, (data) => {
        const buffer = Buffer.from(data);
        const plain = buffer.toString('base64');
        const urlSafe = plain.replaceAll('+', '-').replaceAll('/', '_');
        const variants = [plain, `data:image/png;base64,${plain}`, urlSafe];
        for (const text of variants) expect(decodeBase64(text, LIMITS)).toEqual(data);
        const bare = buffer.toString('base64url');
        if (/[-_]/.test(bare)) expect(decodeBase64(bare, LIMITS)).toEqual(data);
      }),
    );
  });

  test('line breaks and tabs inside, any blanks around', () => {
    const data = new Uint8Array(500).map((_, i) => i * 7);
    const text = Buffer.from(data).toString('base64');
    const wrapped = text.replace(/.{76}/g, '$&\r\n\t');
    expect(decodeBase64(wrapped, LIMITS)).toEqual(data);
    expect(decodeBase64(`  \n${text}\n `, LIMITS)).toEqual(data);
    expect(decodeBase64(` data:image/png;base64, ${wrapped}\n`, LIMITS)).toEqual(data);
    // They don't count against the size.
    expect(decodeBase64(wrapped, { ...LIMITS, maxBytes: 500 })).toEqual(data);
  });

  test.each([
    ['data:image/jpeg;base64,AAEC'],
    ['DATA:;BASE64,AAEC'],
    ['data:image/png;charset=utf-8;base64,AAEC'],
    ['data:base64;base64,AAEC'],
  ])('%s', (text) => expect(decodeBase64(text, LIMITS)).toEqual(new Uint8Array([0, 1, 2])));

  test.each([
    ['', 'is empty'],
    [' \r\n', 'is empty'],
    ['data:image/png;base64,', 'is empty'],
    ['data:image/png,AAEC', "a data URL that begins with 'data:image/png'"],
    ['data:image/png;base64', "a data URL that begins with 'data:image/png;base64'"],
    ['AA EC', '" " at position 2'],
    ['AAEC AAEC', 'often a + lost to form decoding'],
    ['AA!C', '"!" at position 2'],
    ['AAé=', '"é" at position 2'],
    ['AA\u00a0C', 'at position 2'],
    ['AA\0C', '"\\u0000" at position 2'],
    ['A+_A', '"+" at position 1'],
    ['+A-_', 'alphabet are mixed'],
    ['A', 'has 1 base64 characters'],
    ['AAE', 'has 3 base64 characters'],
    ['AA=', 'has 3 base64 characters'],
    ['AAA==', 'has 5 base64 characters'],
    ['====', 'has 4 base64 characters'],
    ['AA==AA==', 'has 8 base64 characters'],
    ['-A=', 'has 3 base64 characters'],
    ['-', 'has 1 base64 characters'],
    ['https://images.test/a.png', '":" at position 5'],
    ['null', ''],
  ])('%j is refused', (text, why) => {
    // Four letters of the alphabet are base64, whatever they were meant to be.
    if (text === 'null') return expect(decodeBase64(text, LIMITS).length).toBe(3);
    const error = refusal(text);
    expect(error.status).toBe(422);
    expect(error.message).toContain(why);
    expect(error.message).toContain('expected');
  });

  test('a cut string is noticed', () => {
    const text = Buffer.alloc(300, 9).toString('base64');
    for (const cut of [1, 2, 3]) expect(refusal(text.slice(0, -cut)).message).toContain('cut');
  });

  test('the size is checked before decoding, and is inclusive', () => {
    for (const length of [1, 2, 3, 4, 100]) {
      const text = Buffer.alloc(length).toString('base64');
      expect(decodeBase64(text, { ...LIMITS, maxBytes: length }).length).toBe(length);
      const error = refusal(text, { ...LIMITS, maxBytes: length - 1 });
      expect(error.status).toBe(413);
      expect(error.message).toBe(
        `image decodes to ${length} bytes; at most ${length - 1} are taken.`,
      );
    }
    // What is too long is not even looked at.
    expect(refusal('!'.repeat(20_000)).status).toBe(413);
  });
});

describe('encodeBase64', () => {
  test('a Float32Array as little-endian IEEE 754, of a view its own part', () => {
    const values = new Float32Array([9, 1, -2.5, Number.NaN, Number.POSITIVE_INFINITY, 9]);
    const decoded = decodeBase64(encodeBase64(values.subarray(1, 5)), LIMITS);
    const view = new DataView(decoded.buffer);
    expect(decoded.length).toBe(16);
    expect([0, 4, 8, 12].map((at) => view.getFloat32(at, true))).toEqual([
      1,
      -2.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
    ]);
  });

  test('agrees with the standard encoder', () => {
    fc.assert(fc.property(bytes, (data) => expect(encodeBase64(data)).toBe(data.toBase64())));
  });
});
