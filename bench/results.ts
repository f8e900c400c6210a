import { mkdir } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import manifest from '../package.json' with { type: 'json' };
import { commitName } from './commit.ts';
import type { Measurement } from './measurement.ts';

/** The columns of bench/results, of which the first six say what a row may be compared with. */
const COLUMNS = [
  'device',
  'hardware',
  'stage',
  'case',
  'unit',
  'version',
  'commit',
  'bun',
  'date',
  'n',
  'median',
  'min',
  'p25',
  'p75',
  'notes',
] as const;
type Row = Record<(typeof COLUMNS)[number], string>;

/**
 * Writes measurements to `<folder>/<machine>-<version>.csv`. A row of the same device, stage and
 * case is replaced, the others stay, so that a part can be measured again.
 *
 * @returns the file's path
 */
export async function saveResults(
  measurements: readonly Measurement[],
  folder: string,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${machineName(measurements)}-${manifest.version}.csv`);
  const rows = new Map<string, Row>();
  for (const row of await readRows(path)) rows.set(keyOf(row), row);
  const stamp = { version: manifest.version, commit: await commitName(), bun: Bun.version };
  for (const measurement of measurements) {
    const row = toRow(measurement, stamp);
    rows.set(keyOf(row), row);
  }
  const lines = [...rows.values()].map((row) => COLUMNS.map((column) => row[column]).join(','));
  await Bun.write(path, `${[COLUMNS.join(','), ...lines].join('\n')}\n`);
  return path;
}

/** After the GPU where there is one, else after the processor: `nvidia-h200`, `amd-epyc-2c`. */
export function machineName(measurements: readonly Measurement[]): string {
  const gpu = measurements.find(({ device }) => device === 'webgpu');
  // The adapter's name; its driver and version follow a colon.
  if (gpu) return slug(gpu.hardware.split(':')[0]);
  const all = cpus();
  return processorName(all[0]?.model ?? process.arch, all.length);
}

/** `Intel(R) Xeon(R) CPU @ 2.20GHz` with 4 threads → `intel-xeon-4c` */
export function processorName(model: string, threads: number): string {
  return slug(`${model.replace(/\((R|TM)\)|@.*Hz|\bCPU\b|\bProcessor\b/gi, ' ')} ${threads}c`);
}

function slug(text: string): string {
  const words = text.toLowerCase().match(/[a-z0-9.]+/g) ?? [];
  return [...new Set(words)].join('-') || 'machine';
}

function toRow(measurement: Measurement, stamp: Pick<Row, 'version' | 'commit' | 'bun'>): Row {
  const { device, hardware, stage, name, unit, notes, n } = measurement;
  const { median, min, p25, p75 } = measurement;
  const cells: Row = {
    device,
    hardware,
    stage,
    case: name,
    unit,
    ...stamp,
    date: new Date().toISOString().slice(0, 10),
    n: String(n),
    median: rounded(median),
    min: rounded(min),
    p25: rounded(p25),
    p75: rounded(p75),
    notes,
  };
  const entries = Object.entries(cells).map(([name, cell]) => [name, cell.replaceAll(',', ';')]);
  return Object.fromEntries(entries) as Row;
}

/** Four significant digits: more would be noise. Empty for what is not known. */
export function rounded(value: number | undefined): string {
  if (value === undefined) return '';
  return Math.abs(value) >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(4)));
}

async function readRows(path: string): Promise<Row[]> {
  const file = Bun.file(path);
  if (!(await file.exists())) return [];
  const [header, ...lines] = (await file.text()).trim().split('\n');
  const names = header.split(',');
  return lines.map((line) => {
    const cells = line.split(',');
    return Object.fromEntries(names.map((name, index) => [name, cells[index] ?? ''])) as Row;
  });
}

function keyOf({ device, stage, case: name, unit }: Row): string {
  return [device, stage, name, unit].join('\n');
}
