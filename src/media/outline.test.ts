/**
 * That a mask's polygons are the mask: filled by pycocotools' rule (held against pycocotools itself),
 * measured by the shoelace formula, counted by a flood fill.
 */
import { describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { maskBorders, maskPolygons } from './outline.ts';
import { fillPolygons, polygonCases } from './polygon_fixture.ts';
import { areaOf, countsFromString, encodeRle } from './rle.ts';
import { countsFromMask, maskFromCounts } from './rle_pixels.ts';

/** '#' is inside. */
function polygonsOf(...rows: string[]): number[][] {
  const [height, width] = [rows.length, rows[0].length];
  const mask = Uint8Array.from(rows.join(''), (character) => (character === '#' ? 1 : 0));
  return maskPolygons(countsFromMask(mask, height, width), { width, height });
}

/** The enclosed area; positive when clockwise on the screen. */
function shoelace(polygon: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < polygon.length; i += 2) {
    const next = (i + 2) % polygon.length;
    sum += polygon[i] * polygon[next + 1] - polygon[next] * polygon[i + 1];
  }
  return sum / 2;
}

/** The number of parts whose pixels touch by their sides. */
function countParts(mask: Uint8Array, height: number, width: number): number {
  const rest = mask.slice();
  let parts = 0;
  for (let first = 0; first < rest.length; first++) {
    if (rest[first] === 0) continue;
    parts++;
    for (const stack = [first]; stack.length > 0; ) {
      const at = stack.pop() ?? 0;
      if (rest[at] === 0) continue;
      rest[at] = 0;
      const [x, y] = [at % width, Math.floor(at / width)];
      if (x > 0) stack.push(at - 1);
      if (x < width - 1) stack.push(at + 1);
      if (y > 0) stack.push(at - width);
      if (y < height - 1) stack.push(at + width);
    }
  }
  return parts;
}

/** Checks what holds of any mask's polygons; the number of them. */
function checkPolygons(mask: Uint8Array, height: number, width: number): number {
  const counts = countsFromMask(mask, height, width);
  const polygons = maskPolygons(counts, { width, height });
  expect(Buffer.compare(fillPolygons(polygons, height, width), mask)).toBe(0);
  const areas = polygons.map(shoelace);
  expect(areas.every((area) => area > 0)).toBe(true);
  expect(areas.reduce((sum, area) => sum + area, 0)).toBe(areaOf(counts));
  expect(polygons.every(turnsEverywhere)).toBe(true);
  return polygons.length;
}

/** Whether each side is along one axis, and the next one along the other. */
function turnsEverywhere(polygon: readonly number[]): boolean {
  const sides = polygon.map((value, i) => polygon[(i + 2) % polygon.length] - value);
  return sides.every((value, i) => {
    const neighbour = sides[(i % 2 === 0 ? i + 1 : i + 2) % sides.length];
    return (value === 0) !== (neighbour === 0);
  });
}

const anyMask = fc
  .record({
    height: fc.integer({ min: 1, max: 24 }),
    width: fc.integer({ min: 1, max: 24 }),
    density: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .chain(({ height, width, density }) =>
    fc.record({
      height: fc.constant(height),
      width: fc.constant(width),
      mask: fc
        .array(fc.double({ min: 0, max: 1, noNaN: true }), {
          minLength: height * width,
          maxLength: height * width,
        })
        .map((values) => Uint8Array.from(values, (value) => (value < density ? 1 : 0))),
    }),
  );

describe('pycocotools', () => {
  test.each(polygonCases.map((one) => [one.name, one] as const))('fills %s so', (_, one) => {
    const filled = fillPolygons([one.polygon], one.height, one.width);
    expect(encodeRle(filled, one.height, one.width)).toBe(one.counts);
  });
});

describe('the polygons of any mask', () => {
  test('fill it again, have its area, and are as many as it has parts', () => {
    fc.assert(
      fc.property(anyMask, ({ mask, height, width }) => {
        const polygons = checkPolygons(mask, height, width);
        expect(polygons).toBe(countParts(mask, height, width));
      }),
      { numRuns: 400 },
    );
  });

  test('control: outlines through pixel middles, as cv2 gives them, fill less', () => {
    const counts = countsFromMask(new Uint8Array(20).fill(1), 4, 5);
    const filled = fillPolygons([[0, 0, 4, 0, 4, 3, 0, 3]], 4, 5);
    expect(areaOf(countsFromMask(filled, 4, 5))).toBe(12);
    expect(areaOf(counts)).toBe(20);
  });

  test('control: without its cut a hole is filled', () => {
    const mask = Uint8Array.of(1, 1, 1, 1, 0, 1, 1, 1, 1);
    expect([...fillPolygons([[0, 0, 3, 0, 3, 3, 0, 3]], 3, 3)]).not.toEqual([...mask]);
    expect(checkPolygons(mask, 3, 3)).toBe(1);
  });
});

describe('the polygon', () => {
  test('of a rectangle is its four corners, clockwise from the upper left', () => {
    expect(polygonsOf('....', '.##.', '.##.', '.##.')).toEqual([[1, 1, 3, 1, 3, 4, 1, 4]]);
  });

  test('of the whole picture is the picture', () => {
    expect(polygonsOf('###', '###')).toEqual([[0, 0, 3, 0, 3, 2, 0, 2]]);
  });

  test('of one pixel is a square', () => {
    expect(polygonsOf('...', '..#')).toEqual([[2, 1, 3, 1, 3, 2, 2, 2]]);
  });

  test('of a ring goes down to the hole, around it, and up again', () => {
    const down = [1, 0, 1, 2];
    expect(polygonsOf('###', '#.#', '###')).toEqual([
      [0, 0, ...down, 2, 2, 2, 1, 1, 1, 1, 0, 3, 0, 3, 3, 0, 3],
    ]);
  });

  test('of two pixels that touch by a corner is two', () => {
    const ends = [
      [1, 0, 2, 0, 2, 1, 1, 1],
      [0, 1, 1, 1, 1, 2, 0, 2],
    ];
    expect(polygonsOf('.#', '#.')).toEqual(ends);
  });

  test('of nothing is none', () => {
    expect(polygonsOf('...', '...')).toEqual([]);
  });
});

test('runs of another size are an error of the program', () => {
  expect(() => maskPolygons([3, 4], { width: 3, height: 3 })).toThrow(RangeError);
  expect(() => maskPolygons([3, 4], { width: 3, height: 3 })).toThrow('7 pixels do not fill');
});

const file = join(
  import.meta.dir,
  '../../../shared/data/segment/coco/instances_val2014_fakesegm100_results.json',
);
const hasData = existsSync(file);
if (!hasData) console.warn(`SKIPPED: real COCO masks are absent (${file})`);

test.skipIf(!hasData)(
  'every fourth real mask of the COCO API comes back to the pixel',
  async () => {
    const results = (await Bun.file(file).json()) as {
      segmentation: { size: [number, number]; counts: string };
    }[];
    let withHoles = 0;
    expect(results.length).toBe(734);
    for (const [index, { segmentation }] of results.entries()) {
      if (index % 4 !== 0) continue;
      const [height, width] = segmentation.size;
      const mask = maskFromCounts(countsFromString(segmentation.counts), height, width);
      const polygons = checkPolygons(mask, height, width);
      // Flood fills take their time.
      if (index % 20 !== 0) continue;
      expect(polygons).toBe(countParts(mask, height, width));
      const outside = mask.map((value) => 1 - value);
      if (countParts(outside, height, width) > 1) withHoles++;
    }
    // So that the test is about cuts too.
    expect(withHoles).toBeGreaterThan(0);
  },
);

describe('the borders for drawing', () => {
  test('of a ring are two, the hole’s counterclockwise, with no cut between them', () => {
    const rows = ['####', '#..#', '####'];
    const mask = Uint8Array.from(rows.join(''), (character) => (character === '#' ? 1 : 0));
    const size = { width: 4, height: 3 };
    expect(maskBorders(countsFromMask(mask, 3, 4), size)).toEqual([
      [0, 0, 4, 0, 4, 3, 0, 3],
      [1, 1, 1, 2, 3, 2, 3, 1],
    ]);
  });

  test('of any mask enclose what is inside, holes taken off, and are as long as its rim', () => {
    const anyMask = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 35, maxLength: 35 });
    fc.assert(
      fc.property(anyMask, (cells) => {
        const inside = (x: number, y: number) => (x < 0 || x > 6 ? 0 : (cells[y * 7 + x] ?? 0));
        const mask = Uint8Array.from(cells);
        const borders = maskBorders(countsFromMask(mask, 5, 7), { width: 7, height: 5 });
        const area = borders.reduce((sum, border) => sum + shoelace(border), 0);
        expect(area).toBe(cells.filter((cell) => cell === 1).length);
        let rim = 0;
        for (let y = -1; y < 5; y++) {
          for (let x = -1; x < 7; x++) {
            rim += inside(x, y) ^ inside(x + 1, y);
            rim += inside(x, y) ^ inside(x, y + 1);
          }
        }
        const lengths = borders.map((border) =>
          border.reduce((sum, value, i) => {
            const next = border[(i + 2) % border.length];
            return sum + Math.abs(next - value);
          }, 0),
        );
        expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(rim);
      }),
    );
  });
});
