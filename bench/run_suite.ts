import { join } from 'node:path';
import { cacheDirectory } from '../src/cache.ts';
import type { BenchDevice, Measurement } from './measurement.ts';
import { describeMeasurement } from './report.ts';

/** What a suite's process sends. */
export type FromChild =
  | { readonly type: 'measurement'; readonly measurement: Measurement }
  /** The device cannot be opened here. */
  | { readonly type: 'absent'; readonly reason: string };

export interface Outcome {
  readonly measurements: readonly Measurement[];
  readonly absent?: string;
  readonly failure?: string;
}

/** Runs one suite on one device in a process of its own, printing results as they come. */
export async function runSuite(
  suite: string,
  device: BenchDevice,
  filters: readonly string[],
): Promise<Outcome> {
  const measurements: Measurement[] = [];
  let absent: string | undefined;
  const child = Bun.spawn({
    cmd: [
      process.execPath,
      join(import.meta.dir, 'main.ts'),
      '--child',
      `${suite}:${device}`,
      ...filters,
    ],
    stdio: ['ignore', 'inherit', 'inherit'],
    env: benchEnvironment(),
    ipc(message: FromChild) {
      if (message.type === 'absent') {
        absent = message.reason;
        return;
      }
      measurements.push(message.measurement);
      console.log(describeMeasurement(message.measurement));
    },
  });
  const code = await child.exited;
  const signal = child.signalCode ? ` (${child.signalCode})` : '';
  const failure = code === 0 ? undefined : `its process ended with ${code}${signal}`;
  return { measurements, absent, failure };
}

/** A home of the bench's own, so that what the user has installed does not change what answers. */
export function benchEnvironment(): Record<string, string | undefined> {
  const home = process.env.TRIPTYCH_BENCH_HOME ?? join(cacheDirectory(), 'bench');
  return { ...process.env, TRIPTYCH_HOME: home };
}
