import { parseArgs } from 'node:util';
import { type BenchDevice, DEVICES } from './measurement.ts';
import { SUITES } from './suites.ts';

/** What was asked for on the command line. */
export interface BenchOptions {
  readonly filters: readonly string[];
  readonly devices: readonly BenchDevice[];
  readonly save: boolean;
  /** Where `--save` writes. */
  readonly out: string;
  /** Set in the processes that the bench starts: `<suite>:<device>`. */
  readonly child: string | undefined;
}

const USAGE = `bun bench [filter…] [--device ${DEVICES.join(',')}] [--save] [--out folder]
  filter    the name of a suite (${SUITES.map(({ name }) => name).join(', ')}), or part of
            "<stage> <case>", such as 640x480 or "infer depth-mini". Without one all suites are
            measured but load. What takes minutes on the device, such as depth-vitl on a
            processor, is measured only when its graph's name is spelled out
  --device  default cpu,webgpu,null; what is not there is skipped. software is SwiftShader
  --save    writes <out>/<machine>-<version>.csv
  --out     default bench/results`;

/** A command line that cannot be followed; the message says what is allowed. */
export class UsageError extends Error {}

/** @throws UsageError */
export function readOptions(args: readonly string[]): BenchOptions {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        device: { type: 'string', default: 'cpu,webgpu,null' },
        save: { type: 'boolean', default: false },
        out: { type: 'string', default: new URL('results', import.meta.url).pathname },
        child: { type: 'string' },
      },
    });
    const { save, out, child } = values;
    return { filters: positionals, devices: readDevices(values.device), save, out, child };
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${USAGE}`);
  }
}

function readDevices(given: string): BenchDevice[] {
  return given.split(',').map((name) => {
    const device = DEVICES.find((known) => known === name.trim());
    if (device) return device;
    throw new UsageError(`--device: expected some of ${DEVICES.join(', ')}, given "${name}"`);
  });
}
