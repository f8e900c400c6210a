/** Proves the colour maps against their sources: entries that were never control points. */
import { describe, expect, test } from 'bun:test';
import { COLORMAPS, type Colormap, colormapTable } from './colormap.ts';

/** Entries of the published 256-entry tables, none at a multiple of five. */
const PUBLISHED: Record<Colormap, Record<number, string>> = {
  turbo: {
    3: '341b51',
    37: '4778f0',
    63: '2ab9ee',
    101: '43f787',
    128: 'a4fc3c',
    162: 'f1cb3a',
    207: 'ec530f',
    253: '810602',
  },
  viridis: {
    3: '450559',
    37: '46337f',
    63: '3b518b',
    101: '2a778e',
    128: '21918c',
    162: '2ab07f',
    207: '81d34d',
    253: 'f8e621',
  },
  inferno: {
    3: '010108',
    37: '290b55',
    63: '550f6d',
    101: '922568',
    128: 'bc3754',
    162: 'e65d2f',
    207: 'fcaa0f',
    253: 'f9fc9d',
  },
  magma: {
    3: '010108',
    37: '241253',
    63: '4f127b',
    101: '8b2981',
    128: 'b73779',
    162: 'e95462',
    207: 'fea571',
    253: 'fcf9bb',
  },
  gray: { 1: '010101', 77: '4d4d4d', 128: '808080', 254: 'fefefe' },
  spectral: {
    3: 'a40844',
    37: 'e3534a',
    63: 'f88c51',
    101: 'fede89',
    128: 'ffffbe',
    162: 'd1ed9c',
    207: '60bba8',
    253: '5b53a4',
  },
};

/**
 * Turbo's polynomial approximation by Ruofei Du (Google, Apache-2.0), 12/255 off the
 * table on average: an independent look at the whole curve.
 */
function turboPolynomial(x: number): number[] {
  const curve = (coefficients: number[]) =>
    255 * coefficients.reduce((sum, c, power) => sum + c * x ** power, 0);
  return [
    curve([0.13572138, 4.6153926, -42.66032258, 132.13108234, -152.94239396, 59.28637943]),
    curve([0.09140261, 2.19418839, 4.84296658, -14.18503333, 4.27729857, 2.82956604]),
    curve([0.1066733, 12.64194608, -60.58204836, 110.36276771, -89.90310912, 27.34824973]),
  ];
}

const distance = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...[0, 1, 2].map((i) => Math.abs(a[i] - b[i])));
const entry = (table: Uint8Array, at: number) => table.subarray(at * 3, at * 3 + 3);

describe('colormapTable', () => {
  test.each([...COLORMAPS])('%s is within 1/255 of the published table', (name) => {
    const table = colormapTable(name);
    expect(table.length).toBe(768);
    for (const [at, hex] of Object.entries(PUBLISHED[name])) {
      expect(distance(entry(table, Number(at)), Uint8Array.fromHex(hex))).toBeLessThanOrEqual(1);
    }
  });

  test('turbo follows its polynomial, and no other map does', () => {
    const meanDistance = (name: Colormap) => {
      const table = colormapTable(name);
      let sum = 0;
      for (let i = 0; i < 256; i++) sum += distance(entry(table, i), turboPolynomial(i / 255));
      return sum / 256;
    };
    expect(meanDistance('turbo')).toBeLessThan(13);
    for (const name of COLORMAPS) {
      if (name !== 'turbo') expect(meanDistance(name)).toBeGreaterThan(50);
    }
  });

  test('viridis, inferno and magma grow lighter all the way', () => {
    for (const name of ['viridis', 'inferno', 'magma', 'gray'] as const) {
      const table = colormapTable(name);
      const luma = (i: number) => {
        const [r, g, b] = entry(table, i);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      for (let i = 8; i < 256; i++) expect(luma(i)).toBeGreaterThan(luma(i - 8));
    }
  });
});
