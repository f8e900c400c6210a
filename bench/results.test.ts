import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Measurement } from './measurement.ts';
import { machineName, processorName, rounded, saveResults } from './results.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bench-results-'));
});
afterAll(() => rm(folder, { recursive: true }));

function measured(changes: Partial<Measurement>): Measurement {
  return {
    device: 'cpu',
    hardware: 'AMD EPYC 2 threads',
    stage: 'infer',
    name: 'depth-mini 686x518',
    unit: 'ms',
    notes: '',
    n: 20,
    median: 5.12345,
    min: 5,
    p25: 5.05,
    p75: 5.2,
    ...changes,
  };
}

async function rows(path: string): Promise<Record<string, string>[]> {
  const [header, ...lines] = (await Bun.file(path).text()).trim().split('\n');
  const names = header.split(',');
  return lines.map((line) => {
    const cells = line.split(',');
    expect(cells.length).toBe(names.length);
    return Object.fromEntries(names.map((name, i) => [name, cells[i]]));
  });
}

test('a new run replaces its rows and leaves the others', async () => {
  const other = measured({ name: 'depth-vits 518x518', notes: 'ms, not s' });
  const path = await saveResults([measured({}), other], folder);
  expect(await saveResults([measured({ median: 6 })], folder)).toBe(path);
  const kept = await rows(path);
  expect(kept.map((row) => [row.case, row.median, row.notes])).toEqual([
    ['depth-mini 686x518', '6', ''],
    ['depth-vits 518x518', '5.123', 'ms; not s'],
  ]);
  expect(kept[0]).toMatchObject({ device: 'cpu', bun: Bun.version, n: '20' });
  expect(kept[0].commit).not.toBe('');
});

test('rows of another device, stage or unit are other rows', async () => {
  const inOwn = join(folder, 'keys');
  const all = [
    measured({}),
    measured({ stage: 'open' }),
    measured({ unit: 's' }),
    measured({ device: 'null' }),
  ];
  expect(await rows(await saveResults(all, inOwn))).toHaveLength(4);
});

test('a value that is no series has a median only', async () => {
  const single = measured({ stage: 'memory', min: undefined, p25: undefined, p75: undefined });
  const [row] = await rows(await saveResults([single], join(folder, 'single')));
  expect(row).toMatchObject({ median: '5.123', min: '', p25: '', p75: '' });
});

test('a machine is named after its GPU, else after its processor', () => {
  const gpu = measured({ device: 'webgpu', hardware: 'nvidia-h200 NVIDIA: 580.159.03' });
  expect(machineName([measured({}), gpu])).toBe('nvidia-h200');
  expect(machineName([measured({})])).toEndWith(`-${cpus().length}c`);
  expect(processorName('AMD EPYC', 2)).toBe('amd-epyc-2c');
  expect(processorName('Intel(R) Xeon(R) CPU @ 2.20GHz', 4)).toBe('intel-xeon-4c');
  expect(processorName('AMD EPYC 9654 96-Core Processor', 16)).toBe('amd-epyc-9654-96-core-16c');
});

test('numbers keep four digits, and all before the point', () => {
  expect([1234.56, 0.000123456, 12.3456, 0, undefined].map(rounded)).toEqual([
    '1235',
    '0.0001235',
    '12.35',
    '0',
    '',
  ]);
});
