import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'bun:test';
import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from '../../test/video_library.ts';
import { encodeBase64 } from './base64.ts';
import { LOOPBACK } from './fetch_fixture.ts';
import { numberOf, videoBytes, videoFile } from './video_fixture.ts';
import { loadVideo, type VideoSource, type VideoSourceOptions } from './video_source.ts';
import { UploadSpace } from './video_upload.ts';

let base: string;
let uploads: UploadSpace;
let server: ReturnType<typeof Bun.serve>;
let file: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  file = await videoBytes('h264.mp4');
  server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === '/video') return new Response(file);
      if (pathname === '/secret') return new Response('a secret page');
      if (pathname === '/broken') return new Response(file.subarray(0, 2000));
      if (pathname === '/flood') return new Response(flood());
      return Response.redirect('http://10.0.0.1/video');
    },
  });
});
afterAll(() => server.stop(true));

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'triptych-source-'));
  await mkdir(join(base, 'root'));
  uploads = await UploadSpace.open(join(base, 'uploads'), 100_000);
});
afterEach(async () => {
  await uploads.close();
  await rm(base, { recursive: true });
});

/** For ever, as fast as it is read. */
const flood = () =>
  new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)) });

const load = (source: VideoSource, options: Partial<VideoSourceOptions> = {}) =>
  loadVideo(source, {
    uploads,
    maxBytes: 50_000,
    maxPixels: 1 << 20,
    maxFrames: 1000,
    maxDurationSeconds: 60,
    root: join(base, 'root'),
    fetch: { timeoutMs: 5000, allowPrivate: ['127.0.0.1'] },
    ...options,
  });

const url = (path: string) => `http://127.0.0.1:${server.port}${path}`;

const left = async () =>
  (await readdir(join(base, 'uploads'), { recursive: true, withFileTypes: true })).filter((one) =>
    one.isFile(),
  ).length;

async function refused(loading: Promise<unknown>, status: number, message = ''): Promise<void> {
  const error = await loading.then(
    () => new Error('it was taken'),
    (cause) => cause,
  );
  expect(error).toMatchObject({ status, message: expect.stringContaining(message) });
  expect([await left(), uploads.usedBytes]).toEqual([0, 0]);
}

test.each([
  ['an upload', async () => ({ video: new Blob([file]) })],
  ['base64', async () => ({ video_base64: encodeBase64(file) })],
  ['a data URL', async () => ({ video_base64: `data:video/mp4;base64,${encodeBase64(file)}` })],
  ['a URL', async () => ({ video_url: url('/video') })],
])('%s lies in the upload space until the video is closed', async (_, source) => {
  const video = await load(await source());
  expect([await left(), uploads.usedBytes]).toEqual([1, file.byteLength]);
  expect(video.info.totalFrames).toBe(40);
  expect(numberOf(await video.frame(17))).toBe(17);
  expect(video.indexAt(video.timestampOf(17))).toBe(17);
  for await (const frame of video.frames(38)) expect(numberOf(frame)).toBe(frame.index);
  await video.close();
  expect([await left(), uploads.usedBytes]).toEqual([0, 0]);
});

test('a path is read where it lies, and stays', async () => {
  const path = join(base, 'root', 'a.mp4');
  await cp(videoFile('h264.mp4'), path);
  const video = await load({ video_path: 'a.mp4' });
  expect([video.info.totalFrames, await left()]).toEqual([40, 0]);
  await video.close();
  expect(await Bun.file(path).exists()).toBe(true);
});

test('a path may be a folder of frames', async () => {
  const frames = join(base, 'root', 'frames');
  await mkdir(frames);
  for (const index of [0, 7, 21]) {
    await cp(videoFile(`opencv-fragmented.mp4-${index}.png`), join(frames, `${index}.png`));
  }
  const video = await load({ video_path: 'frames' }, { folderFps: 2 });
  expect(video.info).toMatchObject({ totalFrames: 3, fps: 2, container: 'folder' });
  expect(numberOf(await video.frame(2))).toBe(21);
  await video.close();
});

describe('refused, with nothing left behind', () => {
  test('none or several sources', async () => {
    await refused(load({}), 400, 'given none');
    await refused(load({ video_base64: 'AAAA', video_path: 'a' }), 400, 'video_base64 and video');
  });

  test('what is no video', async () => {
    await refused(load({ video: new Blob(['hello']) }), 422, 'video is 5 bytes');
    await refused(load({ video_base64: 'aGVsbG8=' }), 422, 'video_base64 is 5 bytes');
    await refused(load({ video_base64: '$' }), 422, 'video_base64 has "$"');
    await refused(load({ video_url: url('/broken') }), 422, 'video_url is truncated');
    const error = await load({ video_url: url('/secret') }).catch((cause) => cause);
    expect(error.message).not.toContain('secret page');
  });

  test('too many bytes, and a full space', async () => {
    const small = { maxBytes: 4000 };
    await refused(load({ video: new Blob([file]) }, small), 413, 'at most 4000');
    await refused(load({ video_base64: encodeBase64(file) }, small), 413);
    await refused(load({ video_url: url('/video') }, small), 413);
    await refused(load({ video_url: url('/flood') }), 413);
    const large = { maxBytes: 1 << 30 };
    await refused(load({ video_url: url('/flood') }, large), 503, 'Try again later');
  });

  test('URLs that lead inward', async () => {
    const guarded = { fetch: { timeoutMs: 5000, resolve: LOOPBACK } };
    await refused(load({ video_url: url('/video') }, guarded), 422, 'not on the public internet');
    await refused(load({ video_url: 'http://video.example/' }, guarded), 422, 'send the video');
    await refused(load({ video_url: url('/redirect') }), 422, 'not on the public internet');
    await refused(load({ video_url: 'file:///etc/passwd' }), 422, 'Only http: and https:');
  });

  test('paths outside the root', async () => {
    await refused(load({ video_path: '../a.mp4' }), 403);
    await refused(load({ video_path: 'absent.mp4' }), 404);
    await refused(load({ video_path: 'a.mp4' }, { root: undefined }), 403);
  });

  test('a caller who leaves', async () => {
    const stop = new AbortController();
    const loading = load({ video_url: url('/flood') }, { maxBytes: 1 << 30, signal: stop.signal });
    stop.abort(new Error('the caller has left'));
    expect(loading).rejects.toThrow('the caller has left');
    await loading.catch(() => {});
    expect([await left(), uploads.usedBytes]).toEqual([0, 0]);
  });
});
