import { afterEach, beforeEach, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { withLock } from './lock.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'triptych-lock-'));
  path = join(folder, 'lock');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** A process id that was in use and no longer is. */
async function deadPid(): Promise<number> {
  const child = Bun.spawn(['true']);
  await child.exited;
  return child.pid;
}

test('one at a time, and gone afterwards, also after a failure', async () => {
  await withLock(path, 'work', async () => {
    await expect(withLock(path, 'other work', async () => 1)).rejects.toThrow(
      `other work is already under way in process ${process.pid}`,
    );
  });
  expect(existsSync(path)).toBe(false);
  await expect(withLock(path, 'work', () => Promise.reject(new Error('broken')))).rejects.toThrow(
    'broken',
  );
  expect(await withLock(path, 'work', async () => 2)).toBe(2);
  expect(await readdir(folder)).toEqual([]);
});

test('of many at once exactly one gets in', async () => {
  let inside = 0;
  const all = Array.from({ length: 20 }, () =>
    withLock(path, 'work', async () => {
      inside++;
      await Bun.sleep(50);
    }),
  );
  const outcomes = await Promise.allSettled(all);
  expect(inside).toBe(1);
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test('a lock left by a process that is gone is taken over, by one', async () => {
  await writeFile(path, `${await deadPid()} ${hostname()} token\n`);
  const outcomes = await Promise.allSettled(
    Array.from({ length: 10 }, () => withLock(path, 'work', () => Bun.sleep(50))),
  );
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(await readdir(folder)).toEqual([]);
});

test('a lock of another machine is respected until it goes unrefreshed', async () => {
  await writeFile(path, `1 another-machine token\n`);
  await expect(withLock(path, 'work', async () => 1)).rejects.toMatchObject({ code: 'locked' });
  const old = new Date(Date.now() - 3_600_000);
  await utimes(path, old, old);
  expect(await withLock(path, 'work', async () => 1)).toBe(1);
});

test('a lock that was taken over is not removed by who lost it', async () => {
  await withLock(path, 'work', async () => {
    await writeFile(path, 'someone else');
  });
  expect(existsSync(path)).toBe(true);
});
