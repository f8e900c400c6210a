import { afterAll, beforeAll, expect, setDefaultTimeout } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from '../../test/video_library.ts';
import { type VideoServer, videoFixture, videoServer } from '../video/server_fixture.ts';

const EXAMPLE = fileURLToPath(new URL('./example.ts', import.meta.url));
const CLICK = ['--click', '0.5,0.5'];

// Each starts a program, and machines may be busy.
setDefaultTimeout(60_000);

let folder: string;
let server: VideoServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'triptych-example-video-'));
  server = await videoServer();
});

afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

async function video(...args: string[]) {
  const command = [process.execPath, EXAMPLE, 'video', ...args, '--url', server.url.href];
  const child = Bun.spawn(command, { cwd: folder, stdout: 'pipe', stderr: 'pipe' });
  const [out, error] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, out, error };
}

test('follows an object both ways, a line a frame, and leaves no session', async () => {
  const steps = ['--frame', '3', '--max-frames', '4', '--out', 'frames.jsonl'];
  const { code, out, error } = await video(videoFixture('h264.mp4'), ...CLICK, ...steps);
  expect({ code, error }).toEqual({ code: 0, error: '' });
  expect(out).toContain('40 frames of ');
  expect(out).toMatch(/^1 found by .*: 1\n3: 1 \d+ pixels \([\d.]+\)$/m);
  const lines = (await Bun.file(join(folder, 'frames.jsonl')).text()).trimEnd().split('\n');
  const frames = lines.map((line) => JSON.parse(line));
  expect(frames.map(({ frame_index }) => frame_index)).toEqual([3, 4, 5, 6, 2, 1, 0]);
  expect(frames[0].objects).toEqual([
    {
      id: 1,
      mask: expect.any(String),
      box: expect.any(Array),
      score: expect.any(Number),
      present: true,
    },
  ]);
  expect(server.uploadedFiles()).toEqual([]);
});

test('goes on without objects only where new ones may come', async () => {
  const nothing = ['--text', 'ball', '--threshold', '1', '--max-frames', '2'];
  const ask = [...nothing, '--direction', 'forward', '--out', 'new.jsonl'];
  const still = await video(videoFixture('h264.mp4'), ...ask);
  expect(still).toMatchObject({ code: 1, error: 'error: nothing was found on frame 0\n' });
  const { code, out, error } = await video(videoFixture('h264.mp4'), ...ask, '--track-new');
  expect({ code, error }).toEqual({ code: 0, error: '' });
  expect(out).toContain('\n0 found by ');
  expect(out).toContain('wrote new.jsonl');
});

test.each([
  [['--out', 'no.jsonl'], 'error: give --text, --box or --click: what to find\n'],
  [[...CLICK, '--out', 'no.mp4'], 'error: --out no.mp4: expected a name that ends in .jsonl\n'],
  [[...CLICK, '--out', 'no.jsonl', '--frame', '40'], /^error: 422: frame_index: .* 0 to 39/],
  [[...CLICK, '--out', 'no.jsonl', '--direction', 'up'], /^error: .*direction/],
])('%j fails in one line', async (args, line) => {
  const { code, error } = await video(videoFixture('h264.mp4'), ...args);
  expect(code).toBe(1);
  expect(error).toMatch(line);
  expect(error.split('\n')).toHaveLength(2);
  expect(server.uploadedFiles()).toEqual([]);
});
