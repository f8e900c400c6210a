import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { quantile, statisticsOf } from './statistics.ts';

test('quantiles are those of NumPy, which interpolates', () => {
  // np.percentile([1, 2, 4, 8], [25, 50, 75]) → 1.75, 3, 5
  expect(statisticsOf([8, 1, 4, 2])).toEqual({ n: 4, median: 3, min: 1, p25: 1.75, p75: 5 });
  expect(quantile([1, 2, 4, 8], 0.99)).toBeCloseTo(7.88, 10);
});

test('one value is all its statistics', () => {
  expect(statisticsOf([7])).toEqual({ n: 1, median: 7, min: 7, p25: 7, p75: 7 });
});

test('they are in order, within the values, and do not depend on theirs', () => {
  const values = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 });
  fc.assert(
    fc.property(values, (samples) => {
      const { min, p25, median, p75 } = statisticsOf(samples);
      expect([min, p25, median, p75]).toEqual([min, p25, median, p75].sort((a, b) => a - b));
      expect(min).toBe(Math.min(...samples));
      expect(p75).toBeLessThanOrEqual(Math.max(...samples));
      expect(statisticsOf(samples.toReversed())).toEqual(statisticsOf(samples));
    }),
  );
});

test('of nothing there are none', () => {
  expect(() => statisticsOf([])).toThrow(RangeError);
});
