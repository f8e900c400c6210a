import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { fitText, oneLine, openTypeface } from './glyphs.ts';

const face = await openTypeface();

describe('text as outlines', () => {
  test('has a different outline for every letter and digit', () => {
    const characters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,'];
    const paths = characters.map((character) => face.pathOf(character, 0, 0, 16));
    expect(new Set(paths).size).toBe(characters.length);
  });

  test.each(['Ärger', 'Żółć', 'Ελλάδα', 'Привет', 'Đường', 'Հայ', 'עברית'])(
    'can say %s',
    (text) => {
      const box = face.pathOf('漢', 0, 0, 16);
      for (const character of text) expect(face.pathOf(character, 0, 0, 16)).not.toBe(box);
    },
  );

  test('is a box for what the font lacks', () => {
    const box = face.pathOf('漢', 0, 0, 16);
    expect(box).toMatch(/^M[-\d. MLQCZ]+$/);
    expect(face.pathOf('字', 0, 0, 16)).toBe(box);
    expect(face.pathOf('\u{1F9F8}', 0, 0, 16)).toBe(box);
    expect(face.widthOf('漢字', 16)).toBeGreaterThan(16);
  });

  test('grows with its size and its length', () => {
    expect(face.widthOf('cube', 32)).toBeCloseTo(2 * face.widthOf('cube', 16), 9);
    expect(face.widthOf('', 16)).toBe(0);
    // DejaVu Sans Bold's em has 2048 units, of which a digit takes 1425.
    expect(face.widthOf('0', 2048)).toBe(1425);
  });

  test('of strangers never throws, and holds nothing but path data', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const line of [text, oneLine(text)]) {
          expect(face.pathOf(line, 3, 4, 16)).toMatch(/^[-\d. MLQCZ]*$/);
          expect(face.widthOf(line, 16)).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});

describe('one line', () => {
  test.each([
    ['  red \n\t cube ', 'red cube'],
    ['a\u0000b\u0007c', 'a b c'],
    ['\u202Ered\u202C \u200Bcube\uFEFF', 'red cube'],
    ['A\u0308rger', 'Ärger'],
    ['❤\uFE0F', '❤'],
    ['\uD800x', '\uFFFDx'],
    ['<b>"&', '<b>"&'],
    ['\n', ''],
  ])('of %j is %j', (text, line) => {
    expect(oneLine(text)).toBe(line);
  });
});

describe('fitting text', () => {
  test('is the beginning, as long as can be', () => {
    fc.assert(
      fc.property(fc.string(), fc.double({ min: 0, max: 300, noNaN: true }), (text, width) => {
        const fitting = fitText(face, text, 16, width);
        expect(face.widthOf(fitting, 16)).toBeLessThanOrEqual(width + 1e-9);
        if (fitting === text) return;
        expect(face.widthOf(text, 16)).toBeGreaterThan(width - 1e-9);
        if (fitting !== '') expect(text.startsWith(fitting.slice(0, -1))).toBe(true);
        const longer = `${[...text].slice(0, [...fitting].length).join('')}…`;
        // One letter more doesn't fit, but for blanks that are left out before the ellipsis.
        if (!/\s/.test(text)) expect(face.widthOf(longer, 16)).toBeGreaterThan(width - 1e-9);
      }),
    );
  });

  test('takes the text whole where there is room, and says where there was none', () => {
    expect(fitText(face, 'red cube', 16, 1000)).toBe('red cube');
    expect(fitText(face, 'red cube', 16, 60)).toBe('red…');
    expect(fitText(face, 'red cube', 16, 5)).toBe('');
    expect(fitText(face, 'red cube', 16, -5)).toBe('');
  });
});
