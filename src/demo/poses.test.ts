import { afterAll, beforeAll, expect, setDefaultTimeout } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { test } from '../../test/video_library.ts';
import { loadMesh } from '../media/mesh/load.ts';
import { colourOf } from '../media/palette.ts';
import { drawPoses } from '../media/pose_picture.ts';
import { runDemoCommand } from './command_fixture.ts';

const POSE = fileURLToPath(new URL('../../models/embedded/pose-demo/', import.meta.url));

// It starts a server, and machines may be busy.
setDefaultTimeout(60_000);

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'triptych-poses-'));
});

afterAll(() => rm(folder, { recursive: true }));

/**
 * Of the true outline's pixels, where nothing hides the object, the share beside which a picture has
 * the colour of outlines.
 */
async function outlinedShare(picture: string | Uint8Array): Promise<number> {
  const [width, height] = [640, 480];
  const drawn = sharp(picture);
  expect(await drawn.metadata()).toMatchObject({ width: 2 * width, height: 2 * height });
  const rgb = await drawn.raw().toBuffer();
  const before = await sharp(join(POSE, 'rgb.jpg')).raw().toBuffer();
  const mask = await sharp(join(POSE, 'mask.png')).toColourspace('b-w').raw().toBuffer();
  const isOutline = (x: number, y: number) =>
    [0, 1, 2].every((c) => Math.abs(rgb[(y * 2 * width + x) * 3 + c] - colourOf(0)[c]) < 40);
  // The red ball, which hides the object's lower edge.
  const isBall = (at: number) => before[3 * at] > 2 * before[3 * at + 2] + 80;
  let [found, all] = [0, 0];
  for (let y = 4; y < height - 4; y++) {
    for (let x = 4; x < width - 4; x++) {
      const at = y * width + x;
      const outside = [at - 1, at + 1, at - width, at + width].filter((by) => mask[by] === 0);
      if (mask[at] === 0 || outside.length === 0) continue;
      const near = [-3, 3, -3 * width, 3 * width].map((by) => at + by);
      if (near.some(isBall)) continue;
      all++;
      const around = Array.from({ length: 13 * 13 }, (_, k) => [(k % 13) - 6, ((k / 13) | 0) - 6]);
      if (around.some(([dx, dy]) => isOutline(2 * x + dx, 2 * y + dy))) found++;
    }
  }
  return found / all;
}

/** The object drawn some millimetres beside where it is. */
async function drawnBeside(millimetres: number): Promise<Uint8Array> {
  const { pose, camera_matrix } = await Bun.file(join(POSE, 'scene.json')).json();
  const [[fx, , cx], [, fy, cy]] = camera_matrix;
  const bytes = await Bun.file(join(POSE, 'mesh.ply')).bytes();
  const mesh = await loadMesh(bytes, { maxBytes: 1e5, maxTriangles: 1e4 });
  const wrong = pose.flat();
  wrong[3] += millimetres / 1000;
  const pixels = await sharp(join(POSE, 'rgb.jpg')).raw().toBuffer();
  const camera = { fx, fy, cx, cy, width: 640, height: 480 };
  const objects = [{ mesh, pose: wrong, label: '', score: Number.NaN }];
  return drawPoses({ pixels, camera, objects });
}

test('the demo shows where an object is, by its mask and by a click, near to where it is', async () => {
  const { code, out, error } = await runDemoCommand(folder, ['--out', 'poses', '--device', 'cpu']);
  expect({ code, error }).toEqual({ code: 0, error: '' });
  const [, ofPose] = out.split('pose-demo');
  expect(ofPose).toMatch(/^object {4}watering can, a mesh 0\.245 m across$/m);
  expect(ofPose).toMatch(/^method {4}geometric, /m);
  expect(ofPose).toMatch(/^mask {6}mask\.png: \d+ pixels$/m);
  expect(ofPose).toMatch(/^click {5}at \[.*\]: \d+ pixels, score 0\.\d\d$/m);
  expect(ofPose).toMatch(/^ {2}where +stage +mask +click$/m);
  expect(ofPose).toMatch(/^ {2}server +register +\d+\.\d +\d+\.\d$/m);
  const said = ofPose.matchAll(/^pose +(\d+) % inliers, (\S+) mm and (\S+)° from the truth/gm);
  const figures = [...said].map(([, ...texts]) => texts.map(Number));
  expect(figures).toHaveLength(2);
  for (const [inliers, millimetres, degrees] of figures) {
    expect(inliers).toBeGreaterThan(80);
    expect(millimetres).toBeLessThan(10);
    expect(degrees).toBeLessThan(5);
  }
  // The rows are the pose: its place against the truth, by hand.
  const { pose } = await Bun.file(join(POSE, 'scene.json')).json();
  const places = [...ofPose.matchAll(/^ {10}.*\| +(\S+)$/gm)].map(([, text]) => Number(text));
  const from = (first: number) =>
    1000 * Math.hypot(...[0, 1, 2].map((row) => places[first + row] - pose[row][3]));
  expect(from(0)).toBeCloseTo(figures[0][1], 0);
  expect(from(3)).toBeCloseTo(figures[1][1], 0);
  for (const name of ['pose.png', 'pose-click.png']) {
    expect(ofPose).toContain(join('poses', name));
    expect(await outlinedShare(join(folder, 'poses', name))).toBeGreaterThan(0.85);
  }
  expect(await outlinedShare(await drawnBeside(30))).toBeLessThan(0.5);
  expect(await outlinedShare(await drawnBeside(0))).toBeGreaterThan(0.95);
});
