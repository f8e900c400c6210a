import { afterAll, beforeAll, expect } from 'bun:test';
import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from '../../test/video_library.ts';
import { MediaError } from './errors.ts';
import { latin1 } from './image_fixture.ts';
import { openVideo, type VideoOptions } from './video.ts';
import { damaged, numberOf, patchedBoxes, videoBytes, videoFile } from './video_fixture.ts';

const LIMITS = { maxPixels: 1 << 22, maxFrames: 1000, maxDurationSeconds: 60 };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'triptych-video-'));
});
afterAll(() => rm(folder, { recursive: true }));

const openBytes = async (bytes: Uint8Array, options: Partial<VideoOptions> = {}) => {
  const path = join(folder, 'video');
  await Bun.write(path, bytes);
  return openVideo({ path, isFolder: false }, { ...LIMITS, ...options });
};

async function refusal(bytes: Uint8Array, options: Partial<VideoOptions> = {}): Promise<string> {
  const error = await openBytes(bytes, options).then(
    () => 'it was taken',
    (cause) => cause,
  );
  if (!(error instanceof MediaError)) throw error;
  expect(error.status).toBe(422);
  expect(error.field).toBe(options.field ?? 'video');
  return error.message;
}

describe('what is no video', () => {
  test.each([
    ['empty', '', 'video is empty'],
    ['text', 'the quick brown fox', '19 bytes of an unknown type'],
    ['a web page', '<html><video></html>', 'an HTML page'],
    ['a picture', '\x89PNG\r\n\x1a\n1234', 'a PNG image'],
    ['sound', 'ID3\x04\0\0\0\0\0\0', 'of an unknown type'],
    ['a playlist', '#EXTM3U\nhttp://127.0.0.1/a.ts\n', 'of an unknown type'],
    ['a head alone', '\0\0\0\x10ftypisom\0\0\0\0', 'video'],
  ])('%s', async (_, text, message) => {
    expect(await refusal(latin1(text))).toContain(message);
  });

  test('a video that is named otherwise says so', async () => {
    const message = await refusal(latin1('x'), { field: 'video_url' });
    expect(message).toBe(
      'video_url is 1 bytes of an unknown type; expected an MP4, MOV, WebM or MKV video with ' +
        'H.264, H.265, VP9 or AV1.',
    );
  });
});

test.each(['h264.mp4', 'fragmented.mp4', 'h265.mov', 'vp9.webm', 'av1.mkv'])(
  '%s cut off anywhere is refused as truncated or no video',
  async (name) => {
    const whole = await videoBytes(name);
    for (const share of [0.999, 0.9, 0.6, 0.3, 0.1]) {
      const part = whole.subarray(0, Math.floor(whole.length * share));
      expect(await refusal(part)).toMatch(/truncated|no video track|unknown type/);
    }
    await (await openBytes(whole)).close();
  },
);

test('a file without a video track', async () => {
  expect(await refusal(await videoBytes('sound.mkv'))).toBe('video has no video track.');
});

test('a track without frames', async () => {
  const none = patchedBoxes(await videoBytes('untagged.mp4'), [
    { box: 'stsz', offset: 16, value: 0 },
    { box: 'stts', offset: 12, value: 0 },
    { box: 'stsc', offset: 12, value: 0 },
    { box: 'stco', offset: 12, value: 0 },
  ]);
  expect(await refusal(none)).toBe('video has no frames.');
});

describe('codecs', () => {
  test('VP8', async () => {
    expect(await refusal(await videoBytes('vp8.webm'))).toContain('coded with "vp8"; expected');
  });

  test('one that nobody knows', async () => {
    const name = Buffer.from('zzzz').readUInt32BE();
    const file = patchedBoxes(await videoBytes('h264.mp4'), [
      { box: 'avc1', offset: 4, value: name },
    ]);
    expect(await refusal(file)).toContain('coded with "zzzz"; expected');
  });
});

describe('bombs', () => {
  test('too many pixels, as the container says', async () => {
    const message = await refusal(await videoBytes('huge.mp4'));
    expect(message).toContain('8192x8192 = 67108864 pixels a frame; at most 4194304');
  });

  test('too many pixels, where the container says otherwise', async () => {
    const file = patchedBoxes(await videoBytes('huge.mp4'), [
      { box: 'avc1', offset: 32, value: (64 << 16) | 64 },
    ]);
    const before = process.memoryUsage().rss;
    expect(await refusal(file)).toContain('larger than the 4194304 pixels');
    expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20);
  });

  test('the same video within the limit is decoded', async () => {
    const video = await openBytes(await videoBytes('huge.mp4'), { maxPixels: 1 << 26 });
    expect(video.info).toMatchObject({ width: 8192, height: 8192 });
    await video.close();
  });

  test('a table that claims 4 billion frames in a few bytes', async () => {
    const file = patchedBoxes(await videoBytes('untagged.mp4'), [
      { box: 'stsz', offset: 12, value: 8 },
      { box: 'stsz', offset: 16, value: 0xffffffff },
      { box: 'stts', offset: 16, value: 0xffffffff },
      { box: 'stsc', offset: 20, value: 0xffffffff },
    ]);
    expect(await refusal(file)).toContain('more than 1000 frames');
  });

  test.each([
    ['stts', 16],
    ['ctts', 16],
    ['stsc', 20],
  ])('a run of 4 billion frames in %s, which the parser would unroll', async (box, offset) => {
    const file = patchedBoxes(await videoBytes('h264.mp4'), [{ box, offset, value: 0xffffffff }]);
    expect(await refusal(file)).toContain('more than 1000 frames');
  });

  test('encrypted samples, whose tables are unrolled too', async () => {
    const name = Buffer.from('encv').readUInt32BE();
    const file = patchedBoxes(await videoBytes('h264.mp4'), [
      { box: 'avc1', offset: 4, value: name },
    ]);
    expect(await refusal(file)).toContain('is encrypted');
  });

  test('a fragment that claims 4 billion frames', async () => {
    const file = Buffer.from(await videoBytes('fragmented.mp4'));
    file.writeUInt32BE(0xffffffff, file.indexOf('trun', 0, 'latin1') + 8);
    expect(await refusal(file)).toContain('more than 1000 frames');
  });

  test('too many frames, and too long', async () => {
    const file = await videoBytes('h264.mp4');
    expect(await refusal(file, { maxFrames: 39 })).toContain('more than 39 frames');
    expect(await refusal(file, { maxDurationSeconds: 1.5 })).toContain('lasts 1.6 s; at most 1.5');
    await (await openBytes(file, { maxFrames: 40, maxDurationSeconds: 1.6 })).close();
  });
});

test.each(['h264.mp4', 'h265.mov', 'vp9.webm', 'av1.mkv', 'fragmented.mp4'])(
  '%s with random damage gives frames or a MediaError, never anything else',
  async (name) => {
    const whole = await videoBytes(name);
    const outcomes = { read: 0, refused: 0 };
    for (let seed = 1; seed <= 40; seed++) {
      const path = join(folder, `${name}-${seed}`);
      await Bun.write(path, damaged(whole, seed, 1 + (seed % 12)));
      try {
        const video = await openVideo({ path, isFolder: false }, LIMITS);
        try {
          for await (const frame of video.frames(0)) numberOf(frame);
          await video.frame(video.info.totalFrames - 1);
          outcomes.read++;
        } finally {
          await video.close();
        }
      } catch (error) {
        if (!(error instanceof MediaError)) throw error;
        outcomes.refused++;
      }
    }
    expect(outcomes.read + outcomes.refused).toBe(40);
    expect(outcomes.refused).toBeGreaterThan(0);
  },
  60_000,
);

test('parameter sets that the decoder refuses are the fault of the file', async () => {
  const file = Buffer.from(await videoBytes('ten-bit.mp4'));
  // The first of the arrays in hvcC, and all after it.
  const at = file.indexOf('hvcC', 0, 'latin1') + 4;
  file.fill(0xff, at + 22, at + 60);
  expect(await refusal(file)).toContain('corrupt');
});

test('a file on which the parser never ends is given up', async () => {
  const file = Buffer.from(await videoBytes('vp9.webm'));
  // A cluster whose size can't be read: the search for the next one finds this one again.
  const cluster = file.lastIndexOf(Buffer.from('1f43b675', 'hex'));
  file[cluster + 4] = 0;
  expect(await refusal(file, { parseTimeoutMs: 2000 })).toContain('within 2000 ms');
  const stop = new AbortController();
  const opening = openBytes(file, { signal: stop.signal });
  setTimeout(() => stop.abort(new Error('the caller has left')), 500);
  expect(opening).rejects.toThrow('the caller has left');
}, 20_000);

test('a refusal leaves no file open', async () => {
  const opened = async () => {
    const links = await readdir('/proc/self/fd');
    const targets = await Promise.all(
      links.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
    );
    return targets.filter((target) => target.startsWith(folder) || target.endsWith('.mp4')).length;
  };
  const before = await opened();
  for (let i = 0; i < 10; i++) {
    await refusal((await videoBytes('h264.mp4')).subarray(0, 3000));
    await refusal(await videoBytes('sound.mkv'));
    await refusal(await videoBytes('h264.mp4'), { maxFrames: 5 });
  }
  const video = await openVideo({ path: videoFile('h264.mp4'), isFolder: false }, LIMITS);
  await video.frame(20);
  expect(await opened()).toBeGreaterThan(before);
  await video.close();
  await Bun.sleep(50);
  expect(await opened()).toBe(before);
}, 60_000);
