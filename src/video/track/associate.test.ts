import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { countsFromMask } from '../../media/rle_pixels.ts';
import { bestAssignment } from './assignment.ts';
import {
  associate,
  type Detection,
  overlappingTracks,
  suppressDoubles,
  type Track,
} from './associate.ts';
import { bitsAbove, bitsFromCounts, maskIou } from './mask_overlap.ts';

const SIDE = 20;

/** A rectangle as [x, y, width, height] in a square of SIDE. */
function draw([x, y, width, height]: readonly number[]): Uint8Array {
  return Uint8Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [row, column] = [Math.floor(i / SIDE), i % SIDE];
    return Number(column >= x && column < x + width && row >= y && row < y + height);
  });
}

function detection(score: number, box: readonly number[], prompt = 0): Detection {
  return { score, mask: bitsAbove(draw(box)), prompt };
}

function track(id: number, box: readonly number[], prompt: number | null = 0): Track {
  return { id, mask: bitsAbove(draw(box)), prompt };
}

const bits = fc.uint8Array({ min: 0, max: 1, minLength: 1, maxLength: 200 });

describe('overlap', () => {
  test('of bits is that of pixels', () => {
    fc.assert(
      fc.property(bits, fc.infiniteStream(fc.integer({ min: 0, max: 1 })), (a, stream) => {
        const b = Uint8Array.from(a, () => stream.next().value as number);
        const both = a.filter((value, i) => value && b[i]).length;
        const either = a.filter((value, i) => value || b[i]).length;
        const expected = either === 0 ? 0 : both / either;
        expect(maskIou(bitsAbove(a), bitsAbove(b))).toBe(expected);
      }),
    );
  });

  test('a mask from counts has the bits of its column-major pixels', () => {
    fc.assert(
      fc.property(bits, (column) => {
        const mask = bitsFromCounts(countsFromMask(column, column.length, 1));
        expect(mask).toEqual(bitsAbove(column));
      }),
    );
  });

  test('masks of different sizes are refused', () => {
    const [a, b] = [32, 33].map((length) => bitsAbove(new Uint8Array(length)));
    expect(() => maskIou(a, b)).toThrow('one size');
  });
});

describe('the best assignment', () => {
  /** All ways to give each row of the shorter side a column of its own. */
  function bestTotal(values: number[][], used: readonly number[] = []): number {
    const [row, ...rest] = values;
    if (!row) return 0;
    return Math.max(
      ...row.map((value, column) =>
        used.includes(column)
          ? Number.NEGATIVE_INFINITY
          : value + bestTotal(rest, [...used, column]),
      ),
    );
  }

  const matrices = fc
    .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }))
    .chain(([rows, columns]) => {
      const row = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
        minLength: columns,
        maxLength: columns,
      });
      return fc.array(row, { minLength: rows, maxLength: rows });
    });

  test('adds up to what trying all gives, and uses no row or column twice', () => {
    fc.assert(
      fc.property(matrices, (values) => {
        const pairs = bestAssignment(values);
        const [rows, columns] = [values.length, values[0].length];
        expect(pairs.length).toBe(Math.min(rows, columns));
        expect(new Set(pairs.map(([row]) => row)).size).toBe(pairs.length);
        expect(new Set(pairs.map(([, column]) => column)).size).toBe(pairs.length);
        const total = pairs.reduce((sum, [row, column]) => sum + values[row][column], 0);
        const turned = values[0].map((_, column) => values.map((row) => row[column]));
        expect(total).toBeCloseTo(bestTotal(rows <= columns ? values : turned), 9);
      }),
    );
  });

  test('of nothing is nothing', () => {
    expect(bestAssignment([])).toEqual([]);
    expect(bestAssignment([[], []])).toEqual([]);
  });
});

describe('association', () => {
  test('of two detections of a text that overlap, the better one stays', () => {
    const boxes = [
      [0, 0, 6, 6],
      [1, 0, 6, 6],
      [12, 12, 5, 5],
    ];
    const found = boxes.map((box, i) => detection([0.6, 0.9, 0.55][i], box));
    expect(suppressDoubles(found)).toEqual([1, 2]);
    // Of different texts both stay, and a weak one goes alone.
    expect(suppressDoubles([found[0], { ...found[1], prompt: 1 }])).toEqual([1, 0]);
    expect(suppressDoubles([detection(0.5, boxes[0])])).toEqual([]);
  });

  test('a detection goes to the track that it shows, not to any that it overlaps', () => {
    // Track 1 overlaps both detections well, track 2 only the first.
    const tracks = [track(1, [0, 0, 10, 4]), track(2, [0, 0, 6, 4])];
    const found = [detection(0.9, [0, 0, 7, 4]), detection(0.8, [0, 5, 10, 4])];
    const { matches, unmatched } = associate(found, tracks);
    expect(matches).toEqual([{ id: 2, detection: 0, iou: 24 / 28 }]);
    expect(unmatched).toEqual([1]);
  });

  test('a good detection away from all tracks is new; one that touches a track is not', () => {
    const tracks = [track(1, [0, 0, 8, 8])];
    const away = [10, 10, 5, 5];
    const found = [detection(0.71, away), detection(0.9, [4, 0, 8, 8])];
    expect(associate(found, tracks).fresh).toEqual([0]);
    expect(associate([detection(0.69, away)], tracks).fresh).toEqual([]);
    expect(associate(found, []).fresh).toEqual([1, 0]);
  });

  test('texts are apart, clicked objects belong to all', () => {
    const box = [2, 2, 8, 8];
    const found = [detection(0.9, box, 1)];
    const other = associate(found, [track(1, box, 0)]);
    expect(other).toEqual({ matches: [], unmatched: [1], fresh: [0] });
    const clicked = associate(found, [track(1, box, null)]);
    expect(clicked).toEqual({
      matches: [{ id: 1, detection: 0, iou: 1 }],
      unmatched: [],
      fresh: [],
    });
  });

  test('a hidden track is neither matched nor missing', () => {
    const hidden = track(1, [0, 0, 0, 0]);
    const { matches, unmatched } = associate([detection(0.9, [0, 0, 5, 5])], [hidden]);
    expect(matches).toEqual([]);
    expect(unmatched).toEqual([]);
  });

  test('of two tracks on one instance, the one that was away later is hidden', () => {
    const seen = (id: number, box: readonly number[], lastHidden: number | null, prompt = 0) => ({
      ...track(id, box, prompt),
      lastHidden,
    });
    const [here, there] = [
      [0, 0, 10, 10],
      [0, 0, 10, 9],
    ];
    const pair = [seen(1, here, 3), seen(2, there, 8)];
    expect(overlappingTracks(pair, 1)).toEqual([2]);
    expect(overlappingTracks(pair, -1)).toEqual([1]);
    expect(overlappingTracks([seen(1, here, null), seen(2, there, 8)], 1)).toEqual([]);
    expect(overlappingTracks([seen(1, here, 3), seen(2, there, 8, 1)], 1)).toEqual([]);
    expect(overlappingTracks([seen(1, here, 3), seen(2, [5, 0, 10, 10], 8)], 1)).toEqual([]);
  });
});
