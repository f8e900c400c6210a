import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { decodeImage } from './image.ts';
import { openVideo, type VideoOptions } from './video.ts';

const LIMITS = { maxPixels: 10_000, maxFrames: 20, maxDurationSeconds: 60 };
const JUDO = '../shared/data/video/judo';

let base: string;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'triptych-frames-'));
});
afterAll(() => rm(base, { recursive: true }));

/** A folder of flat grey frames, each as bright as its place in `names`. */
async function folderOf(names: readonly string[], sizes: Record<string, number> = {}) {
  const folder = await mkdtemp(join(base, 'folder-'));
  for (const [place, name] of names.entries()) {
    const background = { r: place * 10, g: place * 10, b: place * 10 };
    const width = sizes[name] ?? 40;
    const picture = sharp({ create: { width, height: 30, channels: 3, background } });
    await Bun.write(
      join(folder, name),
      await (name.toLowerCase().endsWith('png') ? picture.png() : picture.jpeg()).toBuffer(),
    );
  }
  return folder;
}

const open = (path: string, options: Partial<VideoOptions> = {}) =>
  openVideo({ path, isFolder: true }, { ...LIMITS, field: 'video_path', ...options });

test('frames come in natural order, other files are passed over', async () => {
  const names = ['frame1.jpg', 'frame2.JPEG', 'frame9.png', 'frame10.jpg', 'frame100.PNG'];
  const folder = await folderOf(names);
  await Bun.write(join(folder, 'notes.txt'), 'hello');
  await Bun.write(join(folder, '.frame0.jpg'), 'a hidden thumbnail');
  const video = await open(folder, { folderFps: 10 });
  expect(video.info).toEqual({
    totalFrames: 5,
    fps: 10,
    width: 40,
    height: 30,
    durationSeconds: 0.5,
    codec: 'jpeg',
    container: 'folder',
  });
  const read = async (options: { start: number; step?: number }) => {
    const found: number[][] = [];
    for await (const { index, timestamp, data } of video.frames(options.start, options)) {
      found.push([index, timestamp, Math.round(data[0] / 10)]);
    }
    return found;
  };
  const all = [0, 1, 2, 3, 4].map((index) => [index, index / 10, index]);
  expect(await read({ start: 0 })).toEqual(all);
  expect(await read({ start: 4, step: -2 })).toEqual([all[4], all[2], all[0]]);
  for (const [index, time] of all) expect(video.indexAt(time)).toBe(index);
  expect(video.frame(5)).rejects.toThrow(RangeError);
  await video.close();
  expect(video.frame(0)).rejects.toThrow('closed');
});

test('frames of different sizes are refused when the folder is opened', async () => {
  const folder = await folderOf(['a.png', 'b.png', 'c.png'], { 'c.png': 41 });
  expect(open(folder)).rejects.toMatchObject({
    status: 422,
    message: 'video_path: "c.png" is 41x30, the first frame is 40x30; expected one size.',
  });
});

test('a frame that changes later is refused when it is read', async () => {
  const folder = await folderOf(['a.png', 'b.png']);
  const video = await open(folder);
  await Bun.write(
    join(folder, 'b.png'),
    Bun.file(join(await folderOf(['x.png'], { 'x.png': 50 }), 'x.png')),
  );
  expect(video.frame(1)).rejects.toMatchObject({ status: 422 });
  await Bun.write(join(folder, 'b.png'), 'no longer a picture');
  expect(video.frame(1)).rejects.toMatchObject({ status: 422 });
  await video.close();
});

test('what cannot be a video is refused', async () => {
  const refused = async (folder: string, options: Partial<VideoOptions>, message: string) => {
    const error = await open(folder, options).catch((cause) => cause);
    expect(error).toMatchObject({ status: 422, message: expect.stringContaining(message) });
  };
  await refused(await folderOf([]), {}, 'without JPEG or PNG frames');
  const four = await folderOf(['1.png', '2.png', '3.png', '4.png']);
  await refused(four, { maxFrames: 3 }, 'has 4 frames; at most 3');
  await refused(four, { maxPixels: 1199 }, '40x30 = 1200 pixels a frame; at most 1199');
  await refused(four, { maxDurationSeconds: 1, folderFps: 2 }, 'lasts 2.0 s');
  const text = await folderOf(['1.png']);
  await Bun.write(join(text, '2.png'), 'no picture');
  await refused(text, {}, '"2.png" is no JPEG or PNG image');
  const gif = await folderOf([]);
  await Bun.write(
    join(gif, '1.png'),
    await sharp({ create: { width: 4, height: 4, channels: 3, background: 'red' } })
      .gif()
      .toBuffer(),
  );
  await refused(gif, {}, '"1.png" is no JPEG or PNG image');
});

test('links may lead within the root, not out of it', async () => {
  const folder = await folderOf(['1.png']);
  const other = await folderOf(['secret.png']);
  await symlink(join(folder, '1.png'), join(folder, '2.png'));
  await (await open(folder)).close();
  await symlink(join(other, 'secret.png'), join(folder, '3.png'));
  expect(open(folder)).rejects.toMatchObject({ status: 403 });
  await (await open(folder, { root: base })).close();
  await symlink('/dev/zero', join(folder, '4.png'));
  expect(open(folder, { root: '/' })).rejects.toMatchObject({ status: 422 });
});

const hasJudo = await Bun.file(join(JUDO, '00000.jpg')).exists();
if (!hasJudo) console.warn(`${JUDO} is absent: a folder of photographs is not read`);

test.skipIf(!hasJudo)('a folder of photographs gives what decodeImage gives', async () => {
  const video = await open(JUDO, { maxPixels: 1 << 22 });
  expect(video.info).toMatchObject({ totalFrames: 16, codec: 'jpeg' });
  for await (const frame of video.frames(0, { step: 5 })) {
    const name = `${String(frame.index).padStart(5, '0')}.jpg`;
    const bytes = await Bun.file(join(JUDO, name)).bytes();
    const { data } = await decodeImage(bytes, { maxPixels: 1 << 22, maxBytes: 1 << 24 });
    expect(Buffer.compare(frame.data, data)).toBe(0);
  }
  await video.close();
});
