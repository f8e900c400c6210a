import { describe, expect, test } from 'bun:test';
import { colourOf, inkOn, PALETTE, type Rgb, relativeLuminance } from './palette.ts';

type Triple = readonly [number, number, number];
type Matrix = readonly [Triple, Triple, Triple];

/**
 * What red-, green- and blue-blind eyes see, on linear RGB, at severity 1: Machado, Oliveira and
 * Fernandes, "A physiologically-based model for simulation of color vision deficiency", 2009.
 */
const EYES: Readonly<Record<string, Matrix>> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

/** Linear RGB → LMS → OKLab: Björn Ottosson, "A perceptual color space for image processing". */
const TO_LMS: Matrix = [
  [0.4122214708, 0.5363325363, 0.0514459929],
  [0.2119034982, 0.6806995451, 0.1073969566],
  [0.0883024619, 0.2817188376, 0.6299787005],
];
const TO_LAB: Matrix = [
  [0.2104542553, 0.793617785, -0.0040720468],
  [1.9779984951, -2.428592205, 0.4505937099],
  [0.0259040371, 0.7827717662, -0.808675766],
];

function times(matrix: Matrix, [a, b, c]: Triple): Triple {
  const row = (i: 0 | 1 | 2) => matrix[i][0] * a + matrix[i][1] * b + matrix[i][2] * c;
  return [row(0), row(1), row(2)];
}

function map([a, b, c]: Triple, change: (value: number) => number): Triple {
  return [change(a), change(b), change(c)];
}

function seen(colour: Rgb, eye: Matrix): Triple {
  const linear = map(colour, (value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  const left = map(times(eye, linear), (value) => Math.min(Math.max(value, 0), 1));
  return times(TO_LAB, map(times(TO_LMS, left), Math.cbrt));
}

/** The smallest distance in OKLab between any two, with the worst eyes. */
function closest(colours: readonly Rgb[]): number {
  const distances = Object.values(EYES).flatMap((eye) => {
    const points = colours.map((colour) => seen(colour, eye));
    return points.flatMap((a, i) =>
      points.slice(i + 1).map((b) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])),
    );
  });
  return Math.min(...distances);
}

describe('the palette', () => {
  test('keeps the distance of its seven published colours in all twelve, for all eyes', () => {
    const published = closest(PALETTE.slice(0, 7));
    expect(published).toBeGreaterThan(0.07);
    expect(PALETTE.length).toBe(12);
    expect(closest(PALETTE)).toBe(published);
  });

  test('control: pure colours and Tableau’s ten, which are not made for it, fall short', () => {
    const tableau = '1f77b4ff7f0e2ca02cd627289467bd8c564be377c27f7f7fbcbd2217becf';
    const bytes = [...Uint8Array.fromHex(tableau)];
    const ten = Array.from({ length: 10 }, (_, i): Rgb => {
      return [bytes[i * 3], bytes[i * 3 + 1], bytes[i * 3 + 2]];
    });
    expect(closest(ten)).toBeLessThan(0.05);
  });

  test('starts again after its last colour', () => {
    expect(colourOf(0)).toEqual([0xe6, 0x9f, 0]);
    expect(colourOf(12 * 5 + 3)).toEqual(colourOf(3));
    expect(new Set(PALETTE.map(String)).size).toBe(12);
  });

  test('carries ink with a contrast of 4.5 or more, WCAG’s for text', () => {
    for (const colour of PALETTE) {
      const [dark, light] = [relativeLuminance(colour), relativeLuminance(inkOn(colour))].toSorted(
        (a, b) => a - b,
      );
      expect((light + 0.05) / (dark + 0.05)).toBeGreaterThanOrEqual(4.5);
    }
    expect(inkOn([255, 255, 255])).toEqual([0, 0, 0]);
    expect(inkOn([0, 0, 0])).toEqual([255, 255, 255]);
  });
});
