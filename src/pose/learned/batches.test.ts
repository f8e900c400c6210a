import { expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Backend } from '../../compute/backend.ts';
import { openCpuBackend } from '../../compute/cpu/backend.ts';
import { evenBatches, refinerBatch, roomFor } from './batches.ts';

test('at the least limit of WebGPU, 252 hypotheses are seven batches of 36', () => {
  const room = roomFor(128 * 2 ** 20);
  expect(room).toBe(40);
  expect(evenBatches(252, room).map(({ count }) => count)).toEqual(Array(7).fill(36));
  expect(roomFor(1)).toBe(1);
});

test('batches are all hypotheses in order, none larger than there is room for, and as few as can be', () => {
  const counts = fc.integer({ min: 1, max: 600 });
  fc.assert(
    fc.property(counts, counts, (total, most) => {
      const batches = evenBatches(total, most);
      let next = 0;
      for (const { first, count } of batches) {
        expect(first).toBe(next);
        expect(count).toBeGreaterThan(0);
        expect(count).toBeLessThanOrEqual(most);
        next += count;
      }
      expect(next).toBe(total);
      expect(batches.length).toBeLessThanOrEqual(Math.ceil(total / most));
    }),
  );
});

test('the refiner takes fewer at a time than would fit, on the CPU fewest', () => {
  const cpu = openCpuBackend(1);
  expect(refinerBatch(cpu, cpu.maxTensorBytes)).toBe(12);
  const gpu = { info: { ...cpu.info, kind: 'webgpu' } } as const satisfies Pick<Backend, 'info'>;
  expect(refinerBatch(gpu, 2 ** 31)).toBe(63);
  expect(refinerBatch(gpu, 128 * 2 ** 20)).toBe(40);
});
