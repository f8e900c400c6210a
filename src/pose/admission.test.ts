import { expect, test } from 'bun:test';
import { availableParallelism } from 'node:os';
import { Admission } from './admission.ts';

const LIMIT = availableParallelism() + 1;

/** Fills all places with work that ends when it is let go. */
function crowd(admission: Admission) {
  const { promise, resolve } = Promise.withResolvers<void>();
  let running = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++running);
    await promise;
    running--;
  };
  const all = Array.from({ length: LIMIT + 5 }, () => admission.run(work));
  return { all, resolve, most: () => most };
}

test('lets a few in at a time, and all in the end', async () => {
  const { all, resolve, most } = crowd(new Admission(60_000));
  await Bun.sleep(0);
  expect(most()).toBe(LIMIT);
  resolve();
  await Promise.all(all);
  expect(most()).toBe(LIMIT);
});

test('one whose caller leaves while it waits is not run, and others are', async () => {
  const admission = new Admission(60_000);
  const { all, resolve } = crowd(admission);
  const client = new AbortController();
  let ran = false;
  const gone = admission.run(async () => {
    ran = true;
  }, client.signal);
  client.abort();
  expect(gone).rejects.toMatchObject({ failure: 'cancelled', status: 499 });
  await gone.catch(() => {});
  expect(admission.run(async () => 1, client.signal)).rejects.toMatchObject({ status: 499 });
  resolve();
  await Promise.all(all);
  expect(await admission.run(async () => 7)).toBe(7);
  expect(ran).toBe(false);
});

test('one that waits too long is refused as in the queue; one that runs long is not', async () => {
  const admission = new Admission(20);
  const { promise, resolve } = Promise.withResolvers<void>();
  const long = Array.from({ length: LIMIT }, () => admission.run(() => promise));
  const late = admission.run(async () => {});
  expect(late).rejects.toMatchObject({ failure: 'deadline', status: 503, retryAfterSeconds: 1 });
  await late.catch(() => {});
  resolve();
  await Promise.all(long);
});

test('one that fails gives its place back', async () => {
  const admission = new Admission(60_000);
  for (let i = 0; i <= LIMIT; i++) {
    const failed = admission.run(() => Promise.reject(new RangeError('no')));
    expect(failed).rejects.toThrow('no');
    await failed.catch(() => {});
  }
  expect(await admission.run(async () => 7)).toBe(7);
});
