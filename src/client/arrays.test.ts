import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { decodeDepthMap, decodePointcloud, encodeImage } from './arrays.ts';

const folder = await mkdtemp(join(tmpdir(), 'triptych-client-'));
afterAll(() => rm(folder, { recursive: true }));

/** Little-endian float32 as base64, written value by value: independent of typed arrays. */
function reference(values: readonly number[]): string {
  const buffer = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => {
    buffer.writeFloatLE(value, 4 * i);
  });
  return buffer.toString('base64');
}

const float32 = fc.float({ noNaN: true });

describe('decoding', () => {
  test('gives back what was encoded, for any map', () => {
    const rows = fc
      .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
      .chain(([h, w]) =>
        fc.tuple(fc.constant([h, w]), fc.array(float32, { minLength: h * w, maxLength: h * w })),
      );
    fc.assert(
      fc.property(rows, ([shape, values]) => {
        expect([...decodeDepthMap(reference(values), shape)]).toEqual(values);
      }),
    );
  });

  test('keeps NaN and infinity', () => {
    const odd = [Number.NaN, Number.POSITIVE_INFINITY, -0];
    expect([...decodePointcloud(reference(odd), [1, 3])]).toEqual(odd);
  });

  test('takes an empty cloud', () => {
    expect(decodePointcloud('', [0, 3])).toHaveLength(0);
  });

  test('refuses a shape that does not fit', () => {
    const six = reference([1, 2, 3, 4, 5, 6]);
    expect(decodePointcloud(six, [2, 3])).toHaveLength(6);
    expect(() => decodePointcloud(six, [3, 3])).toThrow('24 bytes do not fill float32 [3, 3]');
    expect(() => decodePointcloud(six, [3, 2])).toThrow('[N, 3], given [3, 2]');
    expect(() => decodeDepthMap(six, [6])).toThrow('[H, W], given [6]');
    expect(() => decodeDepthMap(six.slice(0, 8), [1, 1])).toThrow(RangeError);
    expect(() => decodeDepthMap('not base64!', [2, 3])).toThrow(SyntaxError);
  });
});

describe('encodeImage', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  const expected = Buffer.from(bytes).toString('base64');

  test('takes a path, bytes, a buffer and a blob alike', async () => {
    const path = join(folder, 'a b.jpg');
    await Bun.write(path, bytes);
    const window = new Uint8Array([9, ...bytes, 9]).subarray(1, 257);
    for (const source of [path, bytes, window, bytes.slice().buffer, new Blob([bytes])]) {
      expect(await encodeImage(source)).toBe(expected);
    }
  });

  test('says which path is missing, and that URLs need no encoding', async () => {
    await expect(encodeImage(join(folder, 'none.jpg'))).rejects.toThrow('none.jpg');
    await expect(encodeImage('https://example.com/room.jpg')).rejects.toThrow(
      'the image field takes URLs as they are',
    );
  });
});
