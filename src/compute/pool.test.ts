import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { BufferPool, sizeClass } from './pool.ts';

function countingPool(capacity: number) {
  const made: number[] = [];
  const destroyed: number[] = [];
  const pool = new BufferPool<{ size: number }>(
    (size) => {
      made.push(size);
      return { size };
    },
    ({ size }) => destroyed.push(size),
    capacity,
  );
  return { pool, made, destroyed };
}

describe('size classes', () => {
  test('hold what is asked, with at most an eighth of slack above 1 MiB', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 40 }), (bytes) => {
        const size = sizeClass(bytes);
        expect(size).toBeGreaterThanOrEqual(bytes);
        expect(size % 4).toBe(0);
        if (bytes > 2 ** 20) expect(size / bytes).toBeLessThanOrEqual(1.125);
      }),
    );
  });
});

describe('a pool', () => {
  test('gives a released buffer back for a request of its class', () => {
    const { pool, made } = countingPool(1 << 20);
    const first = pool.acquire(1000);
    pool.release(first, 1000);
    expect(pool.acquire(900)).toBe(first);
    expect(pool.acquire(900)).not.toBe(first);
    expect(made).toEqual([1024, 1024]);
  });

  test('keeps no more than its capacity, and counts truly', () => {
    const { pool, destroyed } = countingPool(2048);
    const buffers = [1, 2, 3].map(() => pool.acquire(1024));
    expect(pool.memory()).toEqual({ usedBytes: 3072, pooledBytes: 0 });
    for (const buffer of buffers) pool.release(buffer, 1024);
    expect(pool.memory()).toEqual({ usedBytes: 0, pooledBytes: 2048 });
    expect(destroyed).toEqual([1024]);
    pool.clear();
    expect(pool.memory().pooledBytes).toBe(0);
    expect(destroyed).toEqual([1024, 1024, 1024]);
  });
});
