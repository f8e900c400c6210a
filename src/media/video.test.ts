import { expect } from 'bun:test';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, testIf } from '../../test/video_library.ts';
import { decodeImage } from './image.ts';
import { openVideo } from './video.ts';
import {
  FIELDS,
  fieldsOf,
  numberOf,
  patchedBoxes,
  pixel,
  turned,
  videoBytes,
  videoFile,
} from './video_fixture.ts';
import { releaseFrame, type VideoFrame, type VideoFrames } from './video_frames.ts';

const LIMITS = { maxPixels: 1 << 22, maxFrames: 1000, maxDurationSeconds: 60 };
const BEDROOM = '../shared/data/video/bedroom.mp4';

const open = (name: string) => openVideo({ path: videoFile(name), isFolder: false }, LIMITS);

async function withVideo<T>(name: string, use: (video: VideoFrames) => Promise<T>): Promise<T> {
  const video = await open(name);
  try {
    return await use(video);
  } finally {
    await video.close();
  }
}

async function numbers(frames: AsyncIterable<VideoFrame>): Promise<number[]> {
  const found: number[] = [];
  for await (const frame of frames) {
    expect(numberOf(frame)).toBe(frame.index);
    found.push(frame.index);
  }
  return found;
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

describe.each([
  ['h264.mp4', 'h264', 'mp4'],
  ['h265.mov', 'h265', 'mov'],
  ['vp9.webm', 'vp9', 'webm'],
  ['av1.mkv', 'av1', 'mkv'],
  ['open-groups.mkv', 'h264', 'mkv'],
  ['fragmented.mp4', 'h264', 'mp4'],
  ['uneven.mp4', 'h264', 'mp4'],
] as const)('%s', (name, codec, container) => {
  test('says what it is', () =>
    withVideo(name, async ({ info }) => {
      expect(info).toMatchObject({ codec, container, totalFrames: 40, width: 96, height: 64 });
      expect(info.fps).toBeCloseTo(info.totalFrames / info.durationSeconds, 9);
      if (name !== 'uneven.mp4') expect(info.fps).toBeCloseTo(25, 3);
    }));

  test('gives every frame in order, forward and backward', () =>
    withVideo(name, async (video) => {
      expect(await numbers(video.frames(0))).toEqual(upTo(40));
      expect(await numbers(video.frames(39, { step: -1 }))).toEqual(upTo(40).reverse());
    }));

  test('gives each frame by itself as in a row', () =>
    withVideo(name, async (video) => {
      const row: VideoFrame[] = [];
      for await (const frame of video.frames(0)) row.push(frame);
      for (let turn = 0; turn < 40; turn++) {
        const index = (turn * 23) % 40;
        expect(await video.frame(index)).toEqual(row[index]);
      }
    }));

  test('starts anywhere, in steps of any size', () =>
    withVideo(name, async (video) => {
      const options = [
        { start: 13, step: 1, count: 4, expected: [13, 14, 15, 16] },
        { start: 3, step: 15, expected: [3, 18, 33] },
        { start: 38, step: -9, expected: [38, 29, 20, 11, 2] },
        { start: 39, expected: [39] },
        { start: 0, step: -1, expected: [0] },
        { start: 5, count: 0, expected: [] },
      ];
      for (const { start, expected, ...rest } of options) {
        expect(await numbers(video.frames(start, rest))).toEqual(expected);
      }
    }));

  test('times lead back to their frames', () =>
    withVideo(name, async (video) => {
      const times = upTo(40).map((index) => video.timestampOf(index));
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(times.map((time) => video.indexAt(time))).toEqual(upTo(40));
      expect(video.indexAt(-1)).toBe(0);
      expect(video.indexAt(1e6)).toBe(39);
      for await (const frame of video.frames(0)) expect(frame.timestamp).toBe(times[frame.index]);
    }));
});

test('key frames that are none are seen through', async () => {
  const path = join(tmpdir(), `triptych-${crypto.randomUUID()}.mp4`);
  // Without a table of key frames, every frame passes for one.
  const renamed = [{ box: 'stss', offset: 4, value: Buffer.from('free').readUInt32BE() }];
  await Bun.write(path, patchedBoxes(await videoBytes('h264.mp4'), renamed));
  const video = await openVideo({ path, isFolder: false }, LIMITS);
  try {
    expect(await numbers(video.frames(0))).toEqual(upTo(40));
    expect(await numbers(video.frames(39, { step: -1 }))).toEqual(upTo(40).reverse());
    for (const index of [23, 5, 39, 12]) expect(numberOf(await video.frame(index))).toBe(index);
  } finally {
    await video.close();
    await rm(path);
  }
});

test('uneven times are the ones that were encoded', () =>
  withVideo('uneven.mp4', async (video) => {
    for (const index of upTo(40)) {
      const drawn = (index * 40 + (index % 3) * 11 + (index > 20 ? 700 : 0)) / 1000;
      expect(video.timestampOf(index)).toBeCloseTo(drawn, 3);
    }
    expect(video.indexAt(1.3)).toBe(20);
  }));

test('a video is turned as it says', () =>
  withVideo('turned.mov', async (video) => {
    expect(video.info).toMatchObject({ width: 64, height: 96, totalFrames: 4 });
    for await (const frame of video.frames(0)) {
      expect(frame).toMatchObject({ width: 64, height: 96 });
      // A quarter back makes it upright as it was drawn.
      const upright = turned(frame, 3);
      expect(numberOf(upright)).toBe(frame.index);
      expectFields(fieldsOf(upright));
      expect(fieldsOf(turned(frame, 1))).not.toEqual(fieldsOf(upright));
    }
  }));

test('odd sizes keep their last column and row', () =>
  withVideo('odd.webm', async (video) => {
    expect(video.info).toMatchObject({ width: 97, height: 65 });
    for await (const frame of video.frames(0)) {
      expect(frame.data.byteLength).toBe(97 * 65 * 3);
      expect(numberOf(frame)).toBe(frame.index);
      expectFields([...fieldsOf(frame).slice(0, 3), pixel(frame, 96, 64)]);
    }
  }));

describe('colours', () => {
  test.each([
    'bt601-limited.mp4',
    'bt601-full.mp4',
    'bt709-limited.mp4',
    'bt709-full.mp4',
    'untagged.mp4',
    'ten-bit.mp4',
    'vp9.webm',
    'av1.mkv',
  ])('of %s are those that were drawn', (name) =>
    withVideo(name, async (video) => expectFields(fieldsOf(await video.frame(0)))),
  );

  test('would be wrong by the other matrix', () =>
    withVideo('bt709-limited.mp4', async (video) => {
      const [, [red, green]] = fieldsOf(await video.frame(0));
      // (40, 180, 60) coded by BT.709 and read by BT.601 is about (21, 163, 51).
      expect(Math.abs(red - 21) + Math.abs(green - 163)).toBeGreaterThan(20);
    }));

  test.each([
    ['fragmented.mp4', 0],
    ['fragmented.mp4', 7],
    ['fragmented.mp4', 21],
    ['uneven.mp4', 39],
    ['vp9.webm', 13],
    ['odd.webm', 5],
    ['ten-bit.mp4', 2],
  ] as const)('of %s, frame %d, are those that OpenCV decodes', (name, index) =>
    withVideo(name, async (video) => {
      const file = await Bun.file(videoFile(`opencv-${name}-${index}.png`)).bytes();
      const expected = await decodeImage(file, { maxPixels: 1e6, maxBytes: 1e6 });
      const frame = await video.frame(index);
      expect(frame).toMatchObject({ width: expected.width, height: expected.height });
      expect(meanDifference(frame.data, expected.data)).toBeLessThanOrEqual(2);
    }),
  );
});

const hasBedroom = await Bun.file(BEDROOM).exists();
if (!hasBedroom) console.warn(`${BEDROOM} is absent: a camera's video is not compared with OpenCV`);

testIf(hasBedroom)(
  "a camera's video is what OpenCV decodes",
  async () => {
    const reference = await Bun.file(videoFile('bedroom.json')).json();
    const video = await openVideo({ path: BEDROOM, isFolder: false }, LIMITS);
    expect(video.info).toMatchObject({ totalFrames: reference.frames, fps: 30, width: 960 });
    for (const [index, means] of Object.entries<number[]>(reference.means)) {
      const found = blockMeans(await video.frame(Number(index)), reference.block);
      expect(meanDifference(found, means)).toBeLessThanOrEqual(0.5);
      const neighbour = await video.frame(Number(index) === 199 ? 190 : Number(index) + 9);
      expect(meanDifference(blockMeans(neighbour, reference.block), means)).toBeGreaterThan(0.5);
    }
    await video.close();
  },
  60_000,
);

describe('readings', () => {
  test('go on side by side', () =>
    withVideo('h265.mov', async (video) => {
      const found = await Promise.all([
        numbers(video.frames(0)),
        numbers(video.frames(39, { step: -1 })),
        numbers(video.frames(20)),
        Promise.all([7, 31, 2].map(async (index) => numberOf(await video.frame(index)))),
      ]);
      expect(found).toEqual([upTo(40), upTo(40).reverse(), upTo(40).slice(20), [7, 31, 2]]);
    }));

  test('end when they are left, aborted, or the video is closed', async () => {
    const video = await open('h264.mp4');
    for await (const frame of video.frames(0)) if (frame.index === 3) break;
    const stop = new AbortController();
    const aborted = numbers(
      (async function* () {
        for await (const frame of video.frames(0, { signal: stop.signal })) {
          if (frame.index === 5) stop.abort(new Error('enough'));
          yield frame;
        }
      })(),
    );
    expect(aborted).rejects.toThrow('enough');
    await aborted.catch(() => {});
    const left = video.frames(0);
    await left.next();
    const backward = video.frames(39, { step: -1 });
    await backward.next();
    const single = video.frame(30);
    await Promise.all([video.close(), single.catch(() => {})]);
    await video.close();
    expect(numbers(left)).rejects.toThrow('closed');
    expect(numbers(backward)).rejects.toThrow('closed');
    expect(video.frame(0)).rejects.toThrow('closed');
    expect(numbers(video.frames(0))).rejects.toThrow('closed');
  });

  test('refuse what is outside', () =>
    withVideo('h264.mp4', async (video) => {
      for (const index of [-1, 40, 0.5, Number.NaN]) {
        expect(() => video.timestampOf(index)).toThrow(RangeError);
        expect(video.frame(index)).rejects.toThrow('it has frames 0 to 39');
        expect(video.frames(index).next()).rejects.toThrow(RangeError);
      }
      expect(video.frames(0, { step: 0 }).next()).rejects.toThrow(RangeError);
      // A refusal spoils nothing.
      expect(numberOf(await video.frame(39))).toBe(39);
    }));

  test('give frames that can be transferred and given back', () =>
    withVideo('h264.mp4', async (video) => {
      const { data } = await video.frame(1);
      expect(data.byteOffset).toBe(0);
      expect(data.buffer.byteLength).toBe(data.byteLength);
      releaseFrame({ data });
      expect(data.byteLength).toBe(0);
    }));
});

function expectFields(found: readonly (readonly number[])[]): void {
  for (const [field, colour] of found.entries()) {
    for (const [channel, value] of colour.entries()) {
      expect(Math.abs(value - FIELDS[field][channel])).toBeLessThanOrEqual(3);
    }
  }
}

function meanDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i] - b[i]);
  return sum / a.length;
}

function blockMeans({ data, width, height }: VideoFrame, block: number): Float64Array {
  const columns = width / block;
  const means = new Float64Array(columns * (height / block) * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (Math.floor(y / block) * columns + Math.floor(x / block)) * 3;
      for (let c = 0; c < 3; c++) means[at + c] += data[(y * width + x) * 3 + c];
    }
  }
  return means.map((sum) => sum / block ** 2);
}
