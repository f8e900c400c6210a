/**
 * Byte for byte what pycocotools writes: its own output for masks of awkward sizes
 * (test/fixtures/mask-rle) and, where the data are present, for real ones.
 */
import { describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { seeded } from '../../test/numbers.ts';
import { MediaError } from './errors.ts';
import {
  areaOf,
  boxOf,
  countsFromString,
  countsToString,
  decodeRle,
  encodeRle,
  normalizeBox,
} from './rle.ts';
import { drawMask, manifest, sha256 } from './rle_fixture.ts';
import { countsFromMask, maskFromCounts } from './rle_pixels.ts';

/** The definition: pixel by pixel, column by column. */
function runsByDefinition(mask: Uint8Array, height: number, width: number): number[] {
  const runs = [0];
  let inside = false;
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      if ((mask[y * width + x] !== 0) !== inside) {
        inside = !inside;
        runs.push(0);
      }
      runs[runs.length - 1]++;
    }
  }
  return runs;
}

const randomMask = fc
  .record({ height: fc.integer({ min: 1, max: 40 }), width: fc.integer({ min: 1, max: 40 }) })
  .chain(({ height, width }) => {
    const size = { minLength: height * width, maxLength: height * width };
    const mask = fc.uint8Array({ ...size, min: 0, max: 1 });
    return fc.record({ mask, height: fc.constant(height), width: fc.constant(width) });
  });

describe('pycocotools', () => {
  test.each(manifest.masks.map((one) => [one.name, one] as const))('%s', (_, one) => {
    const { height, width, counts, area, box } = one;
    const mask = drawMask(one);
    expect(encodeRle(mask, height, width)).toBe(counts);
    expect(Buffer.compare(decodeRle(counts, height, width), mask)).toBe(0);
    const runs = countsFromString(counts);
    expect(areaOf(runs)).toBe(area);
    expect(Object.values(boxOf(runs, height))).toEqual([...box]);
  });

  test('control: rows for columns, another size or another pixel are told apart', () => {
    const one = manifest.masks.find(({ name }) => name.startsWith('random 33x65'));
    if (!one) throw new Error('the fixture lacks its case');
    const mask = drawMask(one);
    const transposed = mask.map((_, i) => mask[(i % 33) * 65 + Math.floor(i / 33)]);
    expect(encodeRle(transposed, 65, 33)).not.toBe(one.counts);
    expect(encodeRle(mask, 65, 33)).not.toBe(one.counts);
    mask[1000] ^= 1;
    expect(encodeRle(mask, 33, 65)).not.toBe(one.counts);
  });

  test('runs past 65,535 pixels are among the cases', () => {
    const longest = manifest.masks.map(({ counts }) => Math.max(...countsFromString(counts)));
    expect(Math.max(...longest)).toBeGreaterThan(65_535);
  });
});

describe('any mask', () => {
  test('has the runs of the definition, and comes back from its string', () => {
    fc.assert(
      fc.property(randomMask, ({ mask, height, width }) => {
        const runs = runsByDefinition(mask, height, width);
        expect([...countsFromMask(mask, height, width)]).toEqual(runs);
        const text = countsToString(runs);
        expect([...countsFromString(text)]).toEqual(runs);
        expect([...decodeRle(text, height, width)]).toEqual([...mask]);
      }),
    );
  });

  test('has the area and the box of its pixels', () => {
    fc.assert(
      fc.property(randomMask, ({ mask, height, width }) => {
        const inside = [...mask.keys()].filter((i) => mask[i] !== 0);
        const xs = inside.map((i) => i % width);
        const ys = inside.map((i) => Math.floor(i / width));
        const counts = countsFromMask(mask, height, width);
        expect(areaOf(counts)).toBe(inside.length);
        const [x, y] = inside.length > 0 ? [Math.min(...xs), Math.min(...ys)] : [0, 0];
        const right = inside.length > 0 ? Math.max(...xs) + 1 : 0;
        const bottom = inside.length > 0 ? Math.max(...ys) + 1 : 0;
        expect(boxOf(counts, height)).toEqual({ x, y, width: right - x, height: bottom - y });
      }),
    );
  });

  test('is inside wherever it is not 0, from any place in memory', () => {
    const random = seeded(4);
    for (const width of [64, 61]) {
      const mask = Uint8Array.from({ length: 30 * width }, () => (random() < 0.5 ? 0 : 1));
      const expected = runsByDefinition(mask, 30, width);
      const shifted = new Uint8Array(mask.length + 3).subarray(3);
      shifted.set(mask.map((value) => value * Math.ceil(random() * 255)));
      expect([...countsFromMask(shifted, 30, width)]).toEqual(expected);
    }
  });
});

describe('any counts', () => {
  test('come back from their string, up to 2³² − 1', () => {
    const counts = fc.array(fc.integer({ min: 0, max: 0xffff_ffff }));
    fc.assert(
      fc.property(counts, (values) => {
        expect([...countsFromString(countsToString(values))]).toEqual(values);
      }),
    );
  });

  test('may hold runs of 0 pixels in the middle', () => {
    expect([...maskFromCounts([1, 1, 0, 1, 1], 2, 2)]).toEqual([0, 1, 1, 0]);
    expect(boxOf([1, 0, 3], 2)).toEqual({ x: 0, y: 0, width: 0, height: 0 });
  });
});

describe('a malformed string', () => {
  test.each([
    ['', 'describes 0 pixels; expected 120'],
    ['hello world', '" " at position 5'],
    ['1\u00e9', '"é" at position 1'],
    ['1😀', '"😀" at position 1'],
    ['1p', '"p" at position 1, which is not one of 0 to o'],
    ['h', 'ends within the number at position 0'],
    ['1PPPPPPPP0', 'longer than 7 characters at position 1'],
    ['O', 'count 0 = -1'],
    ['111N', 'count 3 = -1'],
    ['PPPPPP8', 'count 0 = 8589934592'],
    ['X3', 'describes 104 pixels; expected 120 for height 10 and width 12'],
    ['h3h3', 'describes 240 pixels; expected 120'],
  ])('%j is refused with what is wrong', (text, detail) => {
    const decode = () => decodeRle(text, 10, 12, 'masks[3]');
    expect(decode).toThrow(MediaError);
    expect(decode).toThrow(/^masks\[3\] /);
    expect(decode).toThrow(detail);
  });

  test('never does worse than that', () => {
    const character = fc.integer({ min: 44, max: 115 }).map((code) => String.fromCharCode(code));
    const text = fc.oneof(
      fc.string(),
      fc.array(character).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(text, (value) => {
        try {
          expect(decodeRle(value, 3, 5).length).toBe(15);
        } catch (error) {
          expect(error).toBeInstanceOf(MediaError);
        }
      }),
    );
  });

  test('a size that is none, or not the mask’s, is an error of the program', () => {
    for (const [height, width] of [
      [0, 5],
      [5, -1],
      [2.5, 2],
      [Number.NaN, 1],
      [65_536, 65_536],
    ]) {
      expect(() => decodeRle('0', height, width)).toThrow(RangeError);
      expect(() => encodeRle(new Uint8Array(10), height, width)).toThrow(RangeError);
    }
    expect(() => encodeRle(new Uint8Array(10), 3, 3)).toThrow('10 pixels; expected 9');
  });
});

test('a normalized box is centre and size in parts of the image', () => {
  const box = { x: 10, y: 20, width: 30, height: 40 };
  expect(normalizeBox(box, { width: 100, height: 80 })).toEqual([0.25, 0.5, 0.3, 0.5]);
});

interface CocoMask {
  readonly segmentation: { readonly size: readonly [number, number]; readonly counts: string };
  readonly area: number;
  readonly bbox: readonly number[];
}

const data = join(import.meta.dir, '../../../shared/data/segment');
const hasData = existsSync(data);
if (!hasData) console.warn(`SKIPPED: real COCO masks are absent (${data})`);

/** Decodes, encodes again and compares; the line 'area x y width height'. */
function roundTrip({ segmentation: { size, counts } }: CocoMask): string {
  const [height, width] = size;
  expect(encodeRle(decodeRle(counts, height, width), height, width)).toBe(counts);
  const runs = countsFromString(counts);
  return [areaOf(runs), ...Object.values(boxOf(runs, height))].join(' ');
}

describe.skipIf(!hasData)('real masks', () => {
  test('the 734 of the COCO API decode and encode to the same string', async () => {
    const file = join(data, 'coco/instances_val2014_fakesegm100_results.json');
    const lines = ((await Bun.file(file).json()) as CocoMask[]).map(roundTrip);
    expect(lines.length).toBe(manifest.real.coco.masks);
    expect(sha256(lines.join('\n'))).toBe(manifest.real.coco.areasAndBoxes);
  });

  test('so do those of the panoptic API, which carry their areas and boxes', async () => {
    const file = join(data, 'panoptic/panoptic_coco_detection_format.json');
    const { annotations } = (await Bun.file(file).json()) as { annotations: CocoMask[] };
    for (const one of annotations) {
      expect(roundTrip(one)).toBe([one.area, ...one.bbox].join(' '));
    }
    expect(annotations.length).toBe(50);
  });
});
