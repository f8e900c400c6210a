import { describe, expect, test } from 'bun:test';
import { keptCandidate, keptQueries } from './scores.ts';

describe('concepts', () => {
  test('the best come first, equal ones in their order', () => {
    const kept = keptQueries([0, 2, 0, -30], 40, 0.3);
    expect(kept.map(({ map }) => map)).toEqual([1, 0, 2]);
    expect(kept[1].score).toBeCloseTo(0.5, 12);
  });

  test('what is not present scores low, however much its queries agree', () => {
    expect(keptQueries([9, 9], -5, 0.01)).toEqual([]);
    expect(keptQueries([9], -5, 0)).toHaveLength(1);
  });
});

describe('clicks', () => {
  test('the best of the candidates, cut to a score', () => {
    expect(keptCandidate([0.2, 0.9, 0.5], 1, 0.5)).toEqual({ map: 1, score: 0.9 });
    expect(keptCandidate([1.04], 1, 0)).toEqual({ map: 0, score: 1 });
    expect(keptCandidate([-0.1], 1, 0)).toEqual({ map: 0, score: 0 });
  });

  test('nothing below the threshold, nor of an object that is not there', () => {
    expect(keptCandidate([0.4], 1, 0.5)).toBeNull();
    expect(keptCandidate([0.9], 0, 0)).toBeNull();
  });
});

test('a graph that gives no numbers is told', () => {
  expect(() => keptQueries([1, Number.NaN], 1, 0)).toThrow('not finite');
  expect(() => keptCandidate([Number.POSITIVE_INFINITY], 1, 0)).toThrow('not finite');
  expect(() => keptCandidate([0.5], Number.NaN, 0)).toThrow('not finite');
});
