import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test as videoTest } from '../../test/video_library.ts';
import { readConfig } from '../config.ts';
import { type RunningServer, startServer } from '../server.ts';
import { videoFixture, videoServer } from '../video/server_fixture.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Examples start programs, and machines may be busy.
setDefaultTimeout(60_000);

let folder: string;
let server: RunningServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'triptych-readme-'));
  const flags = { device: 'cpu', host: '127.0.0.1', port: '0', apiKey: 'sk-your-api-key' };
  server = await startServer(readConfig(flags, {}));
});

afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

const FILES = {
  'room.jpg': here('../../models/embedded/demo.jpg'),
  'table.jpg': here('../../models/embedded/segment-demo.jpg'),
  'street.mp4': videoFixture('h264.mp4'),
  'rgb.png': here('../../test/fixtures/pose-demo/rgb.png'),
  'depth.png': here('../../test/fixtures/pose-demo/depth.png'),
  'bracket.ply': here('../../test/fixtures/pose-demo/mesh.ply'),
};

/** What one of the README's programs prints, as it stands but for its address and its files. */
async function printed(block: number, url: URL): Promise<string> {
  const readme = await Bun.file(here('./README.md')).text();
  const programs = [...readme.matchAll(/```ts\n([\s\S]+?)```/g)].map(([, code]) => code);
  let placed = programs[block]
    .replace('./src/client/index.ts', here('./index.ts'))
    .replace('http://127.0.0.1:8000', url.href);
  for (const [name, path] of Object.entries(FILES)) placed = placed.replaceAll(name, path);
  const script = join(folder, `readme-${block}.ts`);
  await Bun.write(script, placed);
  const child = Bun.spawn([process.execPath, script], { stdout: 'pipe', stderr: 'pipe' });
  const [out, error] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  expect({ code: await child.exited, error }).toEqual({ code: 0, error: '' });
  return out;
}

test("the README's code runs", async () => {
  const out = await printed(0, server.url);
  expect(out).toMatch(/^cpu \(/);
  expect(out).toMatch(/^307200 points, [\d.]+ to [\d.]+ metre$/m);
  expect(out).toMatch(/^\[ 480, 640 \] true depth-mini$/m);
  expect(out).toMatch(/^273280 \[ 0\.\d+ \] \[/m);
  expect(out).toMatch(/^true \[ "purple cube: [1-9]", "cat: 0" \]$/m);
  expect(out).toMatch(/^422 model_input_size: expected a multiple of 14/m);
});

videoTest("the README's code of a video session runs, with a tiny SAM 3", async () => {
  const tiny = await videoServer({ apiKey: 'sk-your-api-key' });
  const out = await printed(1, tiny.url);
  expect(out).toStartWith('40 frames, object 1\n0 ');
  expect(out.trimEnd().split('\n')).toHaveLength(11);
  expect(tiny.uploadedFiles()).toEqual([]);
  await tiny.stop();
});

test("the README's code of an object's pose runs", async () => {
  const out = await printed(2, server.url);
  expect(out).toMatch(/^true \d+ \[ -?0\.\d+, -?0\.\d+, 0\.\d+, 1 \]\ngeometric\n$/);
});
