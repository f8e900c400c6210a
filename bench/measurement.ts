import { statisticsOf } from './statistics.ts';

/** Where something was measured; `null` is Dawn's backend that computes nothing. */
export const DEVICES = ['cpu', 'webgpu', 'software', 'null'] as const;
export type BenchDevice = (typeof DEVICES)[number];

/** One line of a report: a series of samples, or a single value with only its `median` set. */
export interface Measurement {
  readonly device: BenchDevice;
  /** The processor or the adapter. */
  readonly hardware: string;
  /** What is measured: `kernel`, `infer`, `request`, … */
  readonly stage: string;
  /** With what. */
  readonly name: string;
  readonly unit: string;
  /** How it was measured, and what it may be at most. */
  readonly notes: string;
  /** Samples that it comes from. */
  readonly n: number;
  readonly median: number;
  readonly min?: number;
  readonly p25?: number;
  readonly p75?: number;
}

/** What a suite gets: where it runs, what was asked for, and where results go. */
export interface BenchContext {
  readonly device: BenchDevice;
  /** Whether the filters leave this case in. */
  wants(stage: string, name: string): boolean;
  /** Whether a filter has all of a name in it: for cases that take long. */
  spellsOut(name: string): boolean;
  /** Samples in milliseconds. */
  report(stage: string, name: string, samples: readonly number[], notes?: string): void;
  /** A value, or statistics that are known already. */
  reportValue(stage: string, name: string, value: Value): void;
}

type Value = Pick<Measurement, 'median' | 'n' | 'min' | 'p25' | 'p75'> & {
  /** Default: `ms`. */
  readonly unit?: string;
  readonly notes?: string;
};

/**
 * A context that keeps to the filters and hands each result on.
 *
 * @param filters parts of `<stage> <case>`; none leaves everything in
 */
export function createContext(
  device: BenchDevice,
  hardware: string,
  filters: readonly string[],
  receive: (measurement: Measurement) => void,
): BenchContext {
  const wanted = filters.map((filter) => filter.toLowerCase());
  return {
    device,
    wants: (stage, name) => {
      const text = `${stage} ${name}`.toLowerCase();
      return wanted.length === 0 || wanted.some((filter) => text.includes(filter));
    },
    spellsOut: (name) => wanted.some((filter) => filter.includes(name.toLowerCase())),
    report: (stage, name, samples, notes = '') =>
      receive({ device, hardware, stage, name, unit: 'ms', notes, ...statisticsOf(samples) }),
    reportValue: (stage, name, { unit = 'ms', notes = '', ...value }) =>
      receive({ device, hardware, stage, name, unit, notes, ...value }),
  };
}
