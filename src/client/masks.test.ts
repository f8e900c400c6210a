import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { drawMask, manifest } from '../media/rle_fixture.ts';
import { decodeMask, encodeMask } from './index.ts';

describe('masks', () => {
  test.each(manifest.masks)("are pycocotools', both ways: $name", (one) => {
    const { counts, width, height } = one;
    const pixels = drawMask(one);
    expect(encodeMask(pixels, { width, height })).toBe(counts);
    expect(Bun.SHA256.hash(decodeMask(counts, { width, height }))).toEqual(Bun.SHA256.hash(pixels));
  });

  test('come back as they were, whatever is inside', () => {
    const side = fc.integer({ min: 1, max: 40 });
    const drawn = fc.record({ width: side, height: side }).chain(({ width, height }) =>
      fc.record({
        size: fc.constant({ width, height }),
        bits: fc.array(fc.boolean(), { minLength: width * height, maxLength: width * height }),
      }),
    );
    fc.assert(
      fc.property(drawn, ({ size, bits }) => {
        const pixels = Uint8Array.from(bits, Number);
        expect(decodeMask(encodeMask(pixels, size), size)).toEqual(pixels);
      }),
    );
  });

  test('of another size, or that are none, are refused', () => {
    const counts = encodeMask(new Uint8Array(12).fill(1, 3, 8), { width: 4, height: 3 });
    expect(() => decodeMask(counts, { width: 4, height: 4 })).toThrow(RangeError);
    expect(() => decodeMask(counts, { width: 4, height: 4 })).toThrow(/describes 12 pixels/);
    expect(() => decodeMask('not runs', { width: 4, height: 3 })).toThrow(RangeError);
    expect(() => encodeMask(new Uint8Array(11), { width: 4, height: 3 })).toThrow(RangeError);
  });
});
