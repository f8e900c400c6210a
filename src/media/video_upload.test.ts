import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { UploadSpace, UploadSpaceFullError } from './video_upload.ts';

const FILE = { maxBytes: 1000, field: 'video' };

let parent: string;
let space: UploadSpace;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'triptych-upload-'));
  space = await UploadSpace.open(parent, 1500);
});
afterEach(async () => {
  await space.close();
  await rm(parent, { recursive: true });
});

const filesLeft = async () =>
  (await readdir(parent, { recursive: true, withFileTypes: true })).filter((one) => one.isFile())
    .length;

const bytes = (count: number, value = 7) => new Uint8Array(count).fill(value);

test('stores what arrives, and gives the room back', async () => {
  const upload = await space.store([bytes(300, 1), bytes(500, 2)], FILE);
  expect(await Bun.file(upload.path).bytes()).toEqual(
    new Uint8Array([...bytes(300, 1), ...bytes(500, 2)]),
  );
  expect([upload.bytes, space.usedBytes]).toEqual([800, 800]);
  await upload.release();
  await upload.release();
  expect([space.usedBytes, await filesLeft()]).toEqual([0, 0]);
});

test('a file that is too large is refused and removed', async () => {
  const refused = space.store([bytes(600), bytes(401)], FILE);
  expect(refused).rejects.toMatchObject({ status: 413, field: 'video' });
  await refused.catch(() => {});
  expect([space.usedBytes, await filesLeft()]).toEqual([0, 0]);
  expect((await space.store([bytes(1000)], FILE)).bytes).toBe(1000);
});

test('files together keep to the quota', async () => {
  const first = await space.store([bytes(1000)], FILE);
  const second = space.store([bytes(501)], FILE);
  expect(second).rejects.toBeInstanceOf(UploadSpaceFullError);
  expect(second).rejects.toMatchObject({ status: 503 });
  await second.catch(() => {});
  expect(space.usedBytes).toBe(1000);
  await first.release();
  expect((await space.store([bytes(501)], FILE)).bytes).toBe(501);
});

test('what arrives at the same time shares the quota', async () => {
  const outcomes = await Promise.allSettled(
    Array.from({ length: 4 }, () => space.store([bytes(250), bytes(250)], FILE)),
  );
  const stored = outcomes.filter(({ status }) => status === 'fulfilled').length;
  expect(stored).toBeLessThanOrEqual(3);
  expect(space.usedBytes).toBe(stored * 500);
  expect(await filesLeft()).toBe(stored);
});

test('a broken or aborted arrival leaves nothing', async () => {
  const broken = async function* () {
    yield bytes(10);
    throw new Error('the line went dead');
  };
  expect(space.store(broken(), FILE)).rejects.toThrow('the line went dead');
  const signal = AbortSignal.abort(new Error('the caller has left'));
  expect(space.store([bytes(10)], { ...FILE, signal })).rejects.toThrow('the caller has left');
  await Bun.sleep(20);
  expect([space.usedBytes, await filesLeft()]).toEqual([0, 0]);
});

test('what crashed processes left is removed, what lives stays', async () => {
  const { exited, pid } = Bun.spawn(['true']);
  await exited;
  const host = hostname().replace(/[^\w.-]/g, '_');
  const old = new Date(Date.now() - 3_600_000);
  const leftover = async (name: string, date = new Date()) => {
    await mkdir(join(parent, name));
    await writeFile(join(parent, name, '0'), 'video');
    await utimes(join(parent, name), date, date);
  };
  await leftover(`${pid}@${host}@dead`);
  await leftover(`${process.pid}@${host}@of-a-former-container`);
  await leftover(`1@elsewhere@silent-for-long`, old);
  await leftover(`1@elsewhere@alive`);
  await leftover(`${process.ppid}@${host}@alive`);
  await leftover('not-an-upload', old);
  const mine = await space.store([bytes(5)], FILE);
  const other = await UploadSpace.open(parent, 100);
  const left = (await readdir(parent)).filter((name) => !name.startsWith(`${process.pid}@`));
  expect(left.toSorted()).toEqual(
    ['1@elsewhere@alive', `${process.ppid}@${host}@alive`, 'not-an-upload'].toSorted(),
  );
  expect(await Bun.file(mine.path).exists()).toBe(true);
  await other.close();
});

test('closing removes all', async () => {
  await space.store([bytes(5)], FILE);
  await space.close();
  expect(await readdir(parent)).toEqual([]);
});
