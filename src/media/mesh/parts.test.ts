/** Proves the pieces that files are read with against plain ways to the same end. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { weldCorners } from './corners.ts';
import { largestDistance } from './diameter.ts';
import { NumberText } from './number_text.ts';

function read(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  const refuse = (what: string): never => {
    throw new Error(what);
  };
  const numbers = new NumberText(bytes, 0, bytes.length, refuse);
  const found: number[] = [];
  while (numbers.more()) found.push(numbers.number());
  return found;
}

describe('numbers', () => {
  test('every double is read back from its shortest text', () => {
    // The shortest text of -0 is 0.
    const double = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
    const doubles = fc.array(double);
    fc.assert(fc.property(doubles, (values) => expect(read(values.join(' '))).toEqual(values)));
  });

  test('fixed and exponential decimals are rounded as Number does', () => {
    const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    const digits = fc.integer({ min: 0, max: 20 });
    fc.assert(
      fc.property(value, digits, (number, count) => {
        for (const text of [number.toFixed(count), number.toExponential(count)]) {
          expect(read(text)[0]).toBe(Number(text));
        }
      }),
    );
  });

  test('what programs write besides', () => {
    expect(read('+1 .5 5. -0 1E5 1e+2 1.5d-3 007 nan -INF\tinfinity\r\n')).toEqual([
      1,
      0.5,
      5,
      -0,
      1e5,
      100,
      0.0015,
      7,
      Number.NaN,
      -Infinity,
      Infinity,
    ]);
  });

  test.each(['', '.', '-', 'e5', '1e', '1.2.3', '0x10', '1,5', '1_0', '--1'])(
    '%p is none',
    (text) => {
      expect(() => read(`${text} `).at(0)!.toString()).toThrow();
    },
  );
});

describe('corners', () => {
  test('agree exactly where all their keys agree, in order of first appearance', () => {
    const key = fc.integer({ min: 0, max: 3 });
    const corners = fc.array(fc.tuple(key, key, key), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(corners, (rows) => {
        const keys = [0, 1, 2].map((column) => Uint32Array.from(rows, (row) => row[column]));
        const { indices, source } = weldCorners(keys);
        const names = rows.map(String);
        const distinct = [...new Set(names)];
        expect([...indices]).toEqual(names.map((name) => distinct.indexOf(name)));
        expect([...source]).toEqual(distinct.map((name) => names.indexOf(name)));
      }),
    );
  });
});

describe('diameter', () => {
  function byAllPairs(points: Float32Array): number {
    let most = 0;
    for (let a = 0; a < points.length; a += 3) {
      for (let b = 0; b < a; b += 3) {
        const [x, y, z] = [0, 1, 2].map((axis) => points[a + axis] - points[b + axis]);
        most = Math.max(most, x * x + y * y + z * z);
      }
    }
    return Math.sqrt(most);
  }

  test('is that of all pairs: clouds, lines, planes, repeated points', () => {
    const size = fc.constantFrom(0, 1e-3, 1, 50);
    const seed = fc.integer();
    const count = fc.integer({ min: 1, max: 400 });
    fc.assert(
      fc.property(size, size, size, seed, count, (x, y, z, start, points) => {
        let state = start >>> 0;
        const random = () => {
          state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
          return state / 2 ** 32 - 0.5;
        };
        const sides = [x, y, z];
        const cloud = Float32Array.from(
          { length: points * 3 },
          (_, at) => random() * sides[at % 3],
        );
        expect(largestDistance(cloud)).toBeCloseTo(byAllPairs(cloud), 9);
      }),
    );
  });

  test('is that of all pairs on a ball, where nothing stands out', () => {
    const points = new Float32Array(3000 * 3);
    for (let i = 0; i < 3000; i++) {
      const z = 1 - (2 * (i + 0.5)) / 3000;
      const [radius, angle] = [Math.sqrt(1 - z * z), i * 2.399963];
      points.set([radius * Math.cos(angle) + 9, radius * Math.sin(angle), z], i * 3);
    }
    expect(largestDistance(points)).toBe(byAllPairs(points));
  });
});
