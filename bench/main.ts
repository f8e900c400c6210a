import { runChild } from './child.ts';
import type { BenchDevice, Measurement } from './measurement.ts';
import { type BenchOptions, readOptions, UsageError } from './options.ts';
import { renderMeasurements } from './report.ts';
import { saveResults } from './results.ts';
import { runSuite } from './run_suite.ts';
import { SUITES } from './suites.ts';

/** `bun bench`: measures in fresh processes, one a suite and device, then prints all in a table. */
async function main(options: BenchOptions): Promise<number> {
  if (options.child) {
    await runChild(options.child, options.filters);
    return 0;
  }
  const measurements: Measurement[] = [];
  const problems: string[] = [];
  for (const device of options.devices) {
    for (const { suite, filters } of planFor(device, options.filters)) {
      const outcome = await runSuite(suite.name, device, filters);
      measurements.push(...outcome.measurements);
      if (outcome.failure) problems.push(`${suite.name} on ${device}: ${outcome.failure}`);
      if (outcome.absent) {
        console.warn(`SKIPPED --device ${device}: ${outcome.absent}`);
        break;
      }
    }
  }
  if (measurements.length > 0) console.log(`\n${renderMeasurements(measurements)}`);
  else console.log('Nothing was measured: no case has the filter in its name.');
  if (options.save && measurements.length > 0) {
    console.log(`\nSaved to ${await saveResults(measurements, options.out)}`);
  }
  for (const problem of problems) console.error(`FAILED ${problem}`);
  return problems.length === 0 ? 0 : 1;
}

/** A filter that is a suite's name takes the whole suite; others go by what is measured. */
function planFor(device: BenchDevice, filters: readonly string[]) {
  const texts = filters.filter((filter) => SUITES.every(({ name }) => name !== filter));
  return SUITES.filter((suite) => suite.devices.includes(device)).flatMap((suite) => {
    if (filters.includes(suite.name)) return [{ suite, filters: [] }];
    const searched = filters.length === 0 || texts.length > 0;
    return searched && !suite.onlyNamed ? [{ suite, filters: texts }] : [];
  });
}

try {
  process.exit(await main(readOptions(process.argv.slice(2))));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exit(2);
}
