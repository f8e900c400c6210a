import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveVideoPath } from './video_path.ts';

let base: string;
let root: string;
beforeAll(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'triptych-path-')));
  root = join(base, 'videos');
  await mkdir(join(root, 'frames'), { recursive: true });
  await mkdir(join(base, 'videos-of-others'));
  await writeFile(join(root, 'a.mp4'), '');
  await writeFile(join(base, 'secret.mp4'), '');
  await writeFile(join(base, 'videos-of-others', 'b.mp4'), '');
  await symlink(join(root, 'a.mp4'), join(root, 'inside'));
  await symlink(join(base, 'secret.mp4'), join(root, 'outside'));
  await symlink(base, join(root, 'up'));
  await symlink(join(root, 'loop'), join(root, 'loop'));
  await symlink(join(base, 'absent'), join(root, 'dangling'));
  await symlink(root, join(base, 'alias'));
  Bun.spawnSync(['mkfifo', join(root, 'pipe')]);
});
afterAll(() => rm(base, { recursive: true }));

test.each([
  ['a.mp4', 'a.mp4', false],
  ['./frames/../a.mp4', 'a.mp4', false],
  ['frames', 'frames', true],
  ['.', '.', true],
  ['inside', 'a.mp4', false],
])('%s is found', async (given, expected, isFolder) => {
  const found = await resolveVideoPath(root, given);
  expect(found).toEqual({ path: join(root, expected), isFolder, root });
});

test('absolute paths are taken, by any name of the root', async () => {
  const alias = join(base, 'alias');
  for (const [folder, given] of [
    [root, join(root, 'a.mp4')],
    [alias, join(alias, 'a.mp4')],
    [alias, join(root, 'a.mp4')],
    [alias, 'a.mp4'],
  ]) {
    expect((await resolveVideoPath(folder, given)).path).toBe(join(root, 'a.mp4'));
  }
});

test.each([
  ['../secret.mp4'],
  ['../absent.mp4'],
  ['/etc/passwd'],
  ['/etc/absent'],
  ['../videos-of-others/b.mp4'],
  ['frames/../../secret.mp4'],
  ['outside'],
  ['up/secret.mp4'],
  ['loop'],
])('%s is refused', (given) => {
  expect(resolveVideoPath(root, given)).rejects.toMatchObject({ status: 403, field: 'video_path' });
});

test.each(['absent.mp4', 'a.mp4/b', 'dangling', '', 'a\0.mp4', 'x'.repeat(5000)])(
  '%p is not found',
  (given) => {
    expect(resolveVideoPath(root, given)).rejects.toMatchObject({ status: 404 });
  },
);

test('a pipe is not opened', () => {
  expect(resolveVideoPath(root, 'pipe')).rejects.toMatchObject({ status: 422 });
});

test('without a root nothing is', () => {
  const refused = { status: 403, message: expect.stringContaining('not enabled') };
  expect(resolveVideoPath(undefined, join(root, 'a.mp4'))).rejects.toMatchObject(refused);
});
