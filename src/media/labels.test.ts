import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { drawLabels, type Label, placePlate } from './labels.ts';
import type { PixelBox } from './rle.ts';

const picture = { width: 640, height: 480 };
const box = { x: 100, y: 100, width: 200, height: 150 };
const red = [213, 94, 0] as const;

function label(text: string, rest: Partial<Label> = {}): Label {
  return { text, score: 0.92, box, colour: red, ...rest };
}

function platesOf(svg: string): PixelBox[] {
  const rect = /<rect x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"/g;
  return [...svg.matchAll(rect)].map(([, ...values]) => {
    const [x, y, width, height] = values.map(Number);
    return { x, y, width, height };
  });
}

function overlaps(a: PixelBox, b: PixelBox): boolean {
  const across = a.x < b.x + b.width && b.x < a.x + a.width;
  return across && a.y < b.y + b.height && b.y < a.y + a.height;
}

const plate = { width: 90, height: 17 };

describe('a plate', () => {
  test('stands on the upper left corner of its box', () => {
    expect(placePlate(plate, box, picture, [])).toEqual({ ...plate, x: 100, y: 83 });
  });

  test('comes down into the picture at its upper side, and left at its right', () => {
    const corner = { x: 600, y: 5, width: 40, height: 50 };
    expect(placePlate(plate, corner, picture, [])).toEqual({ ...plate, x: 550, y: 0 });
  });

  test('makes way for the ones before', () => {
    const taken: PixelBox[] = [];
    for (let i = 0; i < 20; i++) taken.push(placePlate(plate, box, picture, taken));
    for (const [i, one] of taken.entries()) {
      for (const other of taken.slice(i + 1)) expect(overlaps(one, other)).toBe(false);
    }
    expect(new Set(taken.slice(0, 5).map(({ x, y }) => `${x},${y}`))).toEqual(
      new Set(['100,83', '100,100', '210,83', '210,100', '100,250']),
    );
  });

  test('covers as little as it can where nothing is free', () => {
    const small = { width: 90, height: 34 };
    const taken = [
      { x: 0, y: 0, width: 90, height: 17 },
      { x: 0, y: 17, width: 60, height: 17 },
    ];
    const inside = { x: 0, y: 0, width: 90, height: 34 };
    expect(placePlate(plate, inside, small, taken)).toEqual({ ...plate, x: 0, y: 17 });
  });

  test('is inside the picture, whatever its box', () => {
    const anyBox = fc.record({
      x: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      y: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      width: fc.double({ min: 0, max: 1e6, noNaN: true }),
      height: fc.double({ min: 0, max: 1e6, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(anyBox, { maxLength: 8 }), (boxes) => {
        const taken: PixelBox[] = [];
        for (const one of boxes) taken.push(placePlate(plate, one, picture, taken));
        for (const { x, y } of taken) {
          expect(Number.isInteger(x) && x >= 0 && x + plate.width <= picture.width).toBe(true);
          expect(Number.isInteger(y) && y >= 0 && y + plate.height <= picture.height).toBe(true);
        }
      }),
    );
  });
});

describe('labels', () => {
  test('are plates and paths, without a word of their text', async () => {
    const svg = await drawLabels([label('</svg><script>"&')], picture, 12);
    expect(svg).toMatch(/^<rect [^<>]+\/><path [^<>]+\/>$/);
    expect(svg).not.toContain('script');
    expect(platesOf(svg)).toHaveLength(1);
  });

  test('keep their score when the text is too long', async () => {
    const long = await drawLabels([label('a'.repeat(10_000))], picture, 12);
    const [one] = platesOf(long);
    expect(one.width).toBeLessThanOrEqual(20 * 12 + 1);
    const other = await drawLabels([label('a'.repeat(10_000), { score: 0.31 })], picture, 12);
    expect(other).not.toBe(long);
  });

  test('keep off the places that are to be avoided', async () => {
    const [usual] = platesOf(await drawLabels([label('red cube')], picture, 12));
    const [other] = platesOf(await drawLabels([label('red cube')], picture, 12, [usual]));
    expect(overlaps(usual, other)).toBe(false);
  });

  test('say the score alone without text, and nothing without both', async () => {
    const [alone] = platesOf(await drawLabels([label(' \n ')], picture, 12));
    const [both] = platesOf(await drawLabels([label('red cube')], picture, 12));
    expect(alone.width).toBeLessThan(both.width);
    expect(await drawLabels([label('', { score: Number.NaN })], picture, 12)).toBe('');
  });

  test('are left out of a picture that is too small', async () => {
    expect(await drawLabels([label('red cube')], { width: 16, height: 16 }, 12)).toBe('');
    expect(await drawLabels([label('red cube')], { width: 500, height: 16 }, 12)).toBe('');
  });
});
