/** What is kept of a series of measurements, in the unit they were taken in. */
export interface Statistics {
  /** Samples. */
  readonly n: number;
  readonly median: number;
  readonly min: number;
  readonly p25: number;
  readonly p75: number;
}

/**
 * Order statistics of at least one value.
 *
 * @throws RangeError for none, since a median of nothing would be a made-up number
 */
export function statisticsOf(values: readonly number[]): Statistics {
  if (values.length === 0) throw new RangeError('no samples: a statistic needs at least one');
  const sorted = values.toSorted((a, b) => a - b);
  return {
    n: sorted.length,
    median: quantile(sorted, 0.5),
    min: sorted[0],
    p25: quantile(sorted, 0.25),
    p75: quantile(sorted, 0.75),
  };
}

/** The value below which a share of ascending values lies, interpolated (type 7 of Hyndman-Fan). */
export function quantile(sorted: readonly number[], share: number): number {
  const position = share * (sorted.length - 1);
  const low = Math.floor(position);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (position - low);
}
