import { expect, test } from 'bun:test';
import { createContext } from './measurement.ts';
import { readOptions, UsageError } from './options.ts';

test('filters, devices and flags are read', () => {
  expect(readOptions(['infer', '640x480', '--device', 'cpu,null', '--save'])).toMatchObject({
    filters: ['infer', '640x480'],
    devices: ['cpu', 'null'],
    save: true,
  });
  expect(readOptions([]).devices).toEqual(['cpu', 'webgpu', 'null']);
});

test.each([[['--device', 'tpu']], [['--device', '']], [['--sav']]])(
  '%p is refused with what is allowed',
  (args) => {
    expect(() => readOptions(args)).toThrow(UsageError);
    expect(() => readOptions(args)).toThrow('--device');
  },
);

test('a filter leaves in what has it in its stage and case', () => {
  const context = (...filters: string[]) => createContext('cpu', '', filters, () => {});
  expect(context().wants('infer', 'depth-mini')).toBe(true);
  expect(context('INFER DEPTH').wants('infer', 'depth-mini')).toBe(true);
  expect(context('nothing', 'mini').wants('infer', 'depth-mini')).toBe(true);
  expect(context('vits').wants('infer', 'depth-mini')).toBe(false);
});

test('what takes long must be spelled out', () => {
  const context = (...filters: string[]) => createContext('cpu', '', filters, () => {});
  expect(context('infer depth-vitl').spellsOut('depth-vitl')).toBe(true);
  expect(context('depth').spellsOut('depth-vitl')).toBe(false);
  expect(context().spellsOut('depth-vitl')).toBe(false);
});
