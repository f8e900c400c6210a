import { afterAll, beforeAll, expect } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from '../../test/video_library.ts';
import { writeRepeatedVideo } from './repeated_video_fixture.ts';
import { openVideo } from './video.ts';
import { damaged, numberOf, videoBytes, videoFile } from './video_fixture.ts';
import { releaseFrame } from './video_frames.ts';

const LIMITS = { maxPixels: 1 << 20, maxFrames: 100_000, maxDurationSeconds: 10_000 };
const MEBI = 2 ** 20;
const SHORT = { path: videoFile('h264.mp4'), isFolder: false };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'triptych-memory-'));
});
afterAll(() => rm(folder, { recursive: true }));

function resident(): number {
  Bun.gc(true);
  return process.memoryUsage().rss;
}

/**
 * The least growth over half the rounds, after the first half: what is kept once is no leak. Up to
 * three times, as what the process holds otherwise comes and goes, and a leak comes every time.
 */
async function growth(rounds: number, round: (turn: number) => Promise<void>): Promise<number> {
  for (let turn = 0; turn < rounds / 2; turn++) await round(turn);
  let least = Number.POSITIVE_INFINITY;
  for (let stretch = 0; stretch < 3 && least > 5 * MEBI; stretch++) {
    const before = resident();
    for (let turn = 0; turn < rounds / 2; turn++) await round(turn);
    least = Math.min(least, resident() - before);
  }
  return least;
}

test('200 videos opened, read and closed leave nothing', async () => {
  const grown = await growth(200, async () => {
    const video = await openVideo(SHORT, LIMITS);
    await video.frame(39);
    for await (const frame of video.frames(30, { step: -1 })) if (frame.index === 20) break;
    await video.close();
  });
  // A decoder that is kept is half a megabyte.
  expect(grown).toBeLessThan(20 * MEBI);
}, 60_000);

test('readings that are dropped end with their video', async () => {
  const grown = await growth(100, async (turn) => {
    const video = await openVideo(SHORT, LIMITS);
    const readings = [video.frames(0), video.frames(39, { step: -1 }), video.frames(turn % 40)];
    await Promise.all(readings.map((reading) => reading.next()));
    void video.frame(turn % 40).catch(() => {});
    await video.close();
  });
  expect(grown).toBeLessThan(20 * MEBI);
}, 60_000);

test('closing at any moment is safe', async () => {
  for (let turn = 0; turn < 60; turn++) {
    const video = await openVideo(SHORT, LIMITS);
    const stop = new AbortController();
    const reading = (async () => {
      for await (const frame of video.frames(0, { signal: stop.signal })) releaseFrame(frame);
    })().catch(() => {});
    const backward = (async () => {
      for await (const frame of video.frames(39, { step: -3 })) releaseFrame(frame);
    })().catch(() => {});
    await Bun.sleep(turn / 6);
    if (turn % 2) stop.abort();
    await video.close();
    await Promise.all([reading, backward]);
  }
}, 60_000);

test('memory does not depend on how long a video is', async () => {
  const path = join(folder, 'long.mp4');
  await writeRepeatedVideo(SHORT.path, path, 450);
  const video = await openVideo({ path, isFolder: false }, LIMITS);
  expect(video.info.totalFrames).toBe(18_000);
  expect(video.info.durationSeconds).toBeCloseTo(720, 3);
  const readings: number[] = [];
  for await (const frame of video.frames(0, { count: 6000 })) {
    expect(numberOf(frame)).toBe(frame.index % 40);
    releaseFrame(frame);
    if (frame.index % 1000 === 999) readings.push(resident());
  }
  expect(readings[5] - readings[1]).toBeLessThan(12 * MEBI);
  expect(numberOf(await video.frame(17_999))).toBe(39);
  await video.close();
}, 60_000);

test('nothing is printed, whatever the file', async () => {
  const path = join(folder, 'damaged.mp4');
  await Bun.write(path, damaged(await videoBytes('h265.mov'), 5, 40));
  const script = `
    const { openVideo } = await import(${JSON.stringify(import.meta.resolve('./video.ts'))});
    for (const path of ${JSON.stringify([path, SHORT.path, videoFile('av1.mkv')])}) {
      try {
        const video = await openVideo({ path, isFolder: false }, ${JSON.stringify(LIMITS)});
        for await (const frame of video.frames(0));
        // Not closed: a video that is forgotten must not hold the process, nor end it.
      } catch {}
    }
    Bun.gc(true);
    await Bun.sleep(50);
    console.log('done');`;
  const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'pipe' });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  expect([stdout, stderr, await child.exited]).toEqual(['done\n', '', 0]);
}, 60_000);
