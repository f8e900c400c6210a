import { afterAll, beforeAll, expect } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from '../../test/video_library.ts';
import { openVideo } from './video.ts';
import { colourAt, FIELDS, fieldsOf, numberOf } from './video_fixture.ts';

const SIZE = { width: 98, height: 66 };
const FPS = 12.5;
const FRAMES = 9;
const LIMITS = { maxPixels: 1e6, maxFrames: 100, maxDurationSeconds: 60 };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'triptych-writer-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Loaded by the tests, as it needs FFmpeg. */
const writer = async (name: string, size = SIZE) => {
  const { VideoWriter } = await import('./video_writer.ts');
  return VideoWriter.open(join(folder, name), { ...size, fps: FPS, crf: 10 });
};

function picture(index: number, { width, height } = SIZE) {
  const pixels = Array.from({ length: width * height }, (_, i) =>
    colourAt(index, i % width, Math.floor(i / width), width, height),
  );
  return { data: Uint8Array.from(pixels.flat()), width, height };
}

test('what is written is read again: numbers, times and colours', async () => {
  const video = await writer('fields.mp4');
  for (let index = 0; index < FRAMES; index++) await video.add(picture(index));
  await video.close();
  const frames = await openVideo({ path: join(folder, 'fields.mp4'), isFolder: false }, LIMITS);
  expect(frames.info).toMatchObject({ totalFrames: FRAMES, ...SIZE, codec: 'h264' });
  expect(frames.info.fps).toBeCloseTo(FPS, 3);
  for (let index = 0; index < FRAMES; index++) {
    const frame = await frames.frame(index);
    expect(numberOf(frame)).toBe(index);
    expect(frames.timestampOf(index)).toBeCloseTo(index / FPS, 4);
    for (const [field, colour] of fieldsOf(frame).entries()) {
      const off = colour.map((value, c) => Math.abs(value - FIELDS[field][c]));
      // By the matrix of BT.601 they are off by 20 and more.
      expect(Math.max(...off)).toBeLessThan(8);
    }
  }
  await frames.close();
});

test('odd sides and pictures of another size are refused', async () => {
  await expect(writer('odd.mp4', { width: 97, height: 66 })).rejects.toThrow('97x66');
  const video = await writer('sizes.mp4');
  const other = picture(0, { width: 98, height: 64 });
  await expect(video.add(other)).rejects.toThrow('98x64 in a video of 98x66');
  await video.add(picture(0));
  await video.close();
});

test('after its end no picture is taken, and one that is left off is given back', async () => {
  const ended = await writer('ended.mp4');
  await ended.add(picture(0));
  await ended.close();
  await expect(ended.add(picture(1))).rejects.toThrow('the video was closed');
  await expect(ended.close()).rejects.toThrow('the video was closed');
  await ended.dispose();
  const left = await writer('left.mp4');
  await left.add(picture(0));
  await left.dispose();
  await left.dispose();
  const read = openVideo({ path: join(folder, 'left.mp4'), isFolder: false }, LIMITS);
  await expect(read).rejects.toThrow();
});
