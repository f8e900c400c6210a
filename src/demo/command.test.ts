import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { describe as describeVideo } from '../../test/video_library.ts';
import { decodeMask } from '../client/index.ts';
import { openVideo } from '../media/video.ts';
import { runDemoCommand } from './command_fixture.ts';

const CLIP = fileURLToPath(new URL('../../models/embedded/video-demo.json', import.meta.url));
const WIDE = { maxPixels: 1e6, maxFrames: 1e3, maxDurationSeconds: 60 };
const SCENE = fileURLToPath(new URL('../../models/embedded/segment-demo.jpg', import.meta.url));

// Each test starts a server or more, and machines may be busy.
setDefaultTimeout(60_000);

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'triptych-demo-'));
  await noise(99, 70, 'my photo.png');
  await noise(1300, 1000, 'large.png');
  await noise(20, 2000, 'thin.png');
  await Bun.write(join(folder, 'notes.txt'), 'hello');
  await mkdir(join(folder, 'taken', 'demo-depth.png'), { recursive: true });
});

afterAll(() => rm(folder, { recursive: true }));

function noise(width: number, height: number, name: string): Promise<unknown> {
  const grain = { type: 'gaussian', mean: 128, sigma: 40 } as const;
  const create = { width, height, channels: 3, background: 'grey', noise: grain } as const;
  return sharp({ create }).png().toFile(join(folder, name));
}

const demo = (...args: string[]) => runDemoCommand(folder, args);

/** Points of a coloured PLY file, read by its own header. */
async function readPly(name: string): Promise<{ count: number; depths: number[] }> {
  const bytes = await Bun.file(join(folder, name)).bytes();
  const end = Buffer.from(bytes).indexOf('end_header\n') + 'end_header\n'.length;
  const count = Number(
    /element vertex (\d+)/.exec(Buffer.from(bytes.subarray(0, end)).toString())?.[1],
  );
  const stride = 3 * 4 + 3;
  expect(bytes.length).toBe(end + count * stride);
  const view = new DataView(bytes.buffer, end);
  const depths = Array.from({ length: count }, (_, i) => view.getFloat32(i * stride + 8, true));
  return { count, depths };
}

/** Share of a picture that has the colour of its most frequent pixel. */
async function plainShare(name: string): Promise<number> {
  const rgb = await sharp(join(folder, name)).raw().toBuffer();
  const counts = new Map<number, number>();
  for (let at = 0; at < rgb.length; at += 3) {
    const colour = rgb.readUIntBE(at, 3);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  return Math.max(...counts.values()) / (rgb.length / 3);
}

/** Share of a mask's pixels whose colour differs by more than a little; codecs change more. */
function changedShare(a: Uint8Array, b: Uint8Array, mask: Uint8Array, little = 8): number {
  let [changed, all] = [0, 0];
  for (const [i, inside] of mask.entries()) {
    if (!inside) continue;
    all++;
    if ([0, 1, 2].some((c) => Math.abs(a[3 * i + c] - b[3 * i + c]) > little)) changed++;
  }
  return changed / all;
}

describeVideo('the demo', () => {
  test("shows the project's own picture as depth, cloud and second view", async () => {
    const { code, out } = await demo('--out', 'own');
    expect(code).toBe(0);
    for (const name of ['depth', 'view']) {
      const size = await sharp(join(folder, `own/${name}.png`)).metadata();
      expect(size).toMatchObject({ width: 640, height: 480, channels: 3, depth: 'uchar' });
    }
    // The view has background around the cloud; the depth map is no single colour.
    expect(await plainShare('own/depth.png')).toBeLessThan(0.1);
    const background = await plainShare('own/view.png');
    expect(background).toBeGreaterThan(0.05);
    expect(background).toBeLessThan(0.7);
    const { count, depths } = await readPly('own/cloud.ply');
    expect(count).toBe(640 * 480);
    const range = /^depth {5}(\S+) to (\S+) \(unit: metre; larger is farther\)$/m.exec(out) ?? [];
    expect(Number(range[1])).toBeCloseTo(Math.min(...depths.values()), 2);
    expect(Number(range[2])).toBeCloseTo(
      depths.reduce((a, b) => Math.max(a, b)),
      2,
    );
  });

  test('prints who answered, the stages with their times, and the files', async () => {
    const { code, out, error } = await demo('--out', 'table', '--device', 'cpu');
    expect({ code, error }).toEqual({ code: 0, error: '' });
    expect(out).toMatch(
      /^server {4}http:\/\/127\.0\.0\.1:\d+\/ on cpu \(.+\), started in \d+ ms$/m,
    );
    expect(out).toMatch(/^model {5}depth-mini, the embedded miniature, not a published model$/m);
    expect(out).toMatch(/^camera {4}fx .* pixels \(known\)$/m);
    expect(out).toContain('bun run models pull depth-anything-v2-metric-indoor-small');
    const [ofDepth] = out.split('segment-demo.jpg');
    const rows = [...ofDepth.matchAll(/^ {2}(server|client|demo) +(.+?) +(\d+\.\d)$/gm)];
    const stages = rows.map(([, where, stage]) => `${where}: ${stage}`);
    for (const stage of ['decode', 'queue', 'preprocess', 'infer', 'postprocess', 'encode']) {
      expect(stages).toContain(`server: ${stage}`);
    }
    expect(stages.slice(-5)).toEqual([
      'client: send, receive, parse',
      'client: = round trip',
      'demo: write depth.png',
      'demo: write cloud.ply',
      'demo: write view.png',
    ]);
    const ms = rows.map(([, , , text]) => Number(text));
    const total = ms.length - 4;
    const parts = ms.slice(0, total).reduce((sum, one) => sum + one, 0);
    expect(Math.abs(parts - ms[total])).toBeLessThan(1);
    for (const name of ['depth.png', 'cloud.ply', 'view.png']) {
      expect(out).toContain(join('table', name));
    }
    // The server is gone with the program.
    const url = /http:\S+/.exec(out)?.[0] ?? '';
    expect(await fetch(url).catch((reason) => reason.code)).toMatch(
      /ECONNREFUSED|ConnectionRefused/,
    );
  });

  test('shows a scene segmented by a click, a box and a text, encoded once', async () => {
    const { code, out, error } = await demo('--out', 'masks', '--device', 'cpu');
    expect({ code, error }).toEqual({ code: 0, error: '' });
    const scene = await Bun.file(SCENE.replace('.jpg', '.json')).json();
    const before = await sharp(SCENE).raw().toBuffer();
    const truth = { ...scene.truth, text: scene.truth.text[0] };
    for (const name of ['click', 'box', 'text']) {
      const { width, height } = scene;
      const picture = sharp(join(folder, `masks/segment-${name}.png`));
      expect(await picture.metadata()).toMatchObject({ width, height, channels: 3 });
      // Drawn over most of what was meant, and over a small part of all.
      const after = await picture.raw().toBuffer();
      const mask = decodeMask(truth[name], { width, height });
      expect(changedShare(before, after, mask)).toBeGreaterThan(0.6);
      expect(
        changedShare(
          before,
          after,
          mask.map((inside) => 1 - inside),
        ),
      ).toBeLessThan(0.1);
      expect(out).toContain(join('masks', `segment-${name}.png`));
    }
    const [, ofScene] = out.split('segment-demo.jpg');
    expect(ofScene).toMatch(/^model {5}segment-mini, the embedded miniature/m);
    expect(ofScene).toMatch(/^click {5}at \[.*: 1 mask, score 0\.\d\d, picture encoded$/m);
    expect(ofScene).toMatch(/^box .*: 1 mask, score 0\.\d\d, features kept from before$/m);
    expect(ofScene).toMatch(/^text {6}"purple cube": \d masks?, scores? 0\.\d\d.* from before$/m);
    // Three columns, the picture encoded in the first alone.
    expect(ofScene).toMatch(/^ {2}where +stage +click +box +text$/m);
    expect(ofScene).toMatch(/^ {2}server +encode +\d+\.\d +- +-$/m);
    expect(ofScene).toMatch(/^ {2}client += round trip( +\d+\.\d){3}$/m);
    expect(ofScene).toContain('bun run models pull edgetam');
  });

  test('follows two objects through a clip, and draws them over its frames', async () => {
    const { code, out, error } = await demo('--out', 'clip', '--device', 'cpu');
    expect({ code, error }).toEqual({ code: 0, error: '' });
    const { width, height, frames, objects } = await Bun.file(CLIP).json();
    const video = await openVideo({ path: join(folder, 'clip/tracks.mp4'), isFolder: false }, WIDE);
    expect(video.info).toMatchObject({ totalFrames: frames, width, height, codec: 'h264' });
    const original = await openVideo(
      { path: CLIP.replace('.json', '.mp4'), isFolder: false },
      WIDE,
    );
    // On the first frames each is tinted where it is, and nowhere else.
    for (const frame of [0, 10]) {
      const [before, after] = [await original.frame(frame), await video.frame(frame)];
      const masks = objects.map(({ truth }: { truth: Record<number, string> }) =>
        decodeMask(truth[frame], { width, height }),
      );
      for (const mask of masks) {
        expect(changedShare(before.data, after.data, mask, 40)).toBeGreaterThan(0.6);
      }
      const [red, green] = masks;
      const neither = red.map((inside: number, i: number) => 1 - Math.max(inside, green[i]));
      expect(changedShare(before.data, after.data, neither, 40)).toBeLessThan(0.1);
    }
    await Promise.all([video.close(), original.close()]);
    const sheet = await sharp(join(folder, 'clip/tracks.png')).metadata();
    expect(sheet).toMatchObject({ width: 4 * width, height: 3 * height, channels: 3 });
    const [, ofClip] = out.split('video-demo.mp4');
    expect(ofClip).toMatch(/^model {5}segment-mini, the embedded miniature/m);
    expect(ofClip).toMatch(/^click .*, the red ball: seen on \d+ of 30 frames/m);
    expect(ofClip).toMatch(/^ {2}where +stage +open +click +follow$/m);
    expect(ofClip).toMatch(/^ {2}client += round trip( +\d+\.\d){3}$/m);
    expect(ofClip).toMatch(/^ {2}demo +encode and write the video +- +- +\d+\.\d$/m);
  });

  test('takes pictures of yours beside it, and says what it assumes of their camera', async () => {
    const { code, out } = await demo(
      'my photo.png',
      'large.png',
      '--out',
      'many',
      '--device',
      'cpu',
    );
    expect(code).toBe(0);
    const photo = await sharp(join(folder, 'many/my photo-depth.png')).metadata();
    expect(photo).toMatchObject({ width: 99, height: 70 });
    expect((await readPly('many/my photo-cloud.ply')).count).toBe(99 * 70);
    // More than a million pixels: the map stays whole, the cloud and its view are thinned.
    const depth = await sharp(join(folder, 'many/large-depth.png')).metadata();
    expect(depth).toMatchObject({ width: 1300, height: 1000 });
    const view = await sharp(join(folder, 'many/large-view.png')).metadata();
    expect(view).toMatchObject({ width: 650, height: 500 });
    expect((await readPly('many/large-cloud.ply')).count).toBe(650 * 500);
    expect(await Bun.file(join(folder, 'many/demo-view.png')).exists()).toBe(true);
    expect(out).toContain('(assumed 60° wide, centred)');
  });

  test('takes their camera from flags', async () => {
    const flags = ['--fx', '80', '--cx', '50', '--cy', '30'];
    const { out } = await demo('my photo.png', ...flags, '--out', 'flags', '--device', 'cpu');
    expect(out).toContain('fx 80.0, fy 80.0, cx 50.0, cy 30.0 pixels (--fx --cx --cy)');
    expect(out).toContain('pixels (known)');
  });
});

describe('what the user can put right is one line and exit code 1', () => {
  test.each([
    [['none.jpg'], 'none.jpg: no such file'],
    [['taken'], 'taken: a folder, not a picture'],
    [['my photo.png', 'notes.txt'], /notes\.txt is 5 bytes .*; expected a JPEG, PNG/],
    [['thin.png'], /thin\.png: image: 20x2000 would enter the model as 518x51800/],
    [['--out', 'notes.txt'], /--out notes\.txt cannot be used: .*EEXIST/],
    [['my photo.png', '--out', 'taken'], /taken\/demo-depth\.png cannot be written: .*EISDIR/],
    [['--device', 'abacus'], /--device .* given "abacus"/],
    [['--colour', 'turbo'], '--colour is not a flag of this command'],
    [['my photo.png', '--fov', '200'], '--fov is "200"; expected degrees between 0 and 180'],
    [['--fov', '60'], '--fov is for pictures of yours, and none is named'],
  ])('%j', async (args, message) => {
    const { code, error } = await demo('--device', 'cpu', '--out', 'failed', ...args);
    expect(code).toBe(1);
    expect(error).toMatch(message);
    expect(error).toMatch(/^error: [^\n]+\n$/);
  });
});
