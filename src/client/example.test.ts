import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { readConfig } from '../config.ts';
import { type RunningServer, startServer } from '../server.ts';

/** A tiny SAM 3 of random weights. */
const TINY = fileURLToPath(new URL('../../test/fixtures/segment-parity', import.meta.url));
const EXAMPLE = fileURLToPath(new URL('./example.ts', import.meta.url));
const POSE_DEMO = (name: string) =>
  fileURLToPath(new URL(`../../test/fixtures/pose-demo/${name}`, import.meta.url));
const KEY = 'sk-example-test';
const INTRINSICS = ['--fx', '60', '--fy', '60', '--cx', '31.5', '--cy', '23.5'];

let folder: string;
let server: RunningServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'triptych-example-'));
  const flags = { device: 'cpu', host: '127.0.0.1', port: '0', apiKey: KEY };
  server = await startServer(readConfig({ ...flags, sam3Checkpoint: TINY }, {}));
  const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
  const size = { width: 64, height: 48, channels: 3, background: 'grey' } as const;
  await sharp({ create: { ...size, noise } })
    .jpeg()
    .toFile(join(folder, 'noise.jpg'));
  const servers = `here: {base_url: "${server.url}", api_key: ${KEY}}\n`;
  await Bun.write(join(folder, 'servers.yaml'), servers);
});

afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

async function run(...args: string[]) {
  const options = { cwd: folder, stdout: 'pipe', stderr: 'pipe' } as const;
  const child = Bun.spawn([process.execPath, EXAMPLE, ...args], options);
  const [out, error] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, out, error };
}

const depth = (...args: string[]) => run('depth', ...args);
const pose = (...args: string[]) => run('pose', POSE_DEMO('rgb.png'), '--server', 'here', ...args);
const segment = (...args: string[]) => run('segment', 'noise.jpg', '--server', 'here', ...args);

describe('the depth example', () => {
  test.each([
    ['metric.npy', [], 0x93, 64 * 48 * 4],
    ['metric.png', ['--task', 'metric'], 0x89, 0],
    ['relative.f32', ['--task', 'relative'], null, 64 * 48 * 4],
    ['cloud.ply', ['--task', 'pointcloud', ...INTRINSICS], 'p'.charCodeAt(0), 64 * 48 * 15],
  ])('writes %s', async (name, args, firstByte, atLeast) => {
    const { code, out, error } = await depth(
      'noise.jpg',
      '--server',
      'here',
      '--out',
      name,
      ...args,
    );
    expect({ code, error }).toEqual({ code: 0, error: '' });
    expect(out).toContain(`wrote ${name}`);
    const bytes = await Bun.file(join(folder, name)).bytes();
    if (firstByte !== null) expect(bytes[0]).toBe(firstByte);
    expect(bytes.length).toBeGreaterThanOrEqual(atLeast);
  });

  test.each([
    [['none.jpg', '--server', 'here'], 'error: none.jpg: no such file\n'],
    [['noise.jpg', '--server', 'there'], 'error: no server is called "there"; there are here\n'],
    [['noise.jpg', '--url', 'URL'], 'error: 401: API key required\n'],
    [['noise.jpg', '--url', 'URL', '--api-key', 'no'], 'error: 401: Invalid API key\n'],
    [
      ['noise.jpg', '--server', 'here', '--task', 'pointcloud', '--fx', '60'],
      'error: --fy: a point cloud needs it, in pixels; given nothing\n',
    ],
    [['servers.yaml', '--server', 'here'], /^error: 422: image .* expected a JPEG.*\n$/],
  ])('%j fails in one line', async (args, line) => {
    const given = args.map((arg) => (arg === 'URL' ? server.url.href : arg));
    const { code, error } = await depth(...given, '--out', 'no.npy');
    expect(code).toBe(1);
    expect(error).toMatch(line);
    expect(error.split('\n')).toHaveLength(2);
    expect(await Bun.file(join(folder, 'no.npy')).exists()).toBe(false);
  });
});

describe('the segment example', () => {
  test.each([
    [
      'text.png',
      ['--text', 'red ball', '--threshold', '0'],
      /^red ball: score \d\.\d\d, \d+ pixels/m,
    ],
    ['box.png', ['--box', '0.5,0.5,0.4,0.4', '--threshold', '0'], /^box: score .* box \[0\./m],
    [
      'click.png',
      ['--click', '0.3,0.4 0.4,0.4', '--outside', '0.9,0.9', '--threshold', '0'],
      /^point: score /m,
    ],
  ])('writes %s', async (name, args, line) => {
    const { code, out, error } = await segment('--out', name, ...args);
    expect({ code, error }).toEqual({ code: 0, error: '' });
    expect(out).toMatch(line);
    const size = await sharp(join(folder, name)).metadata();
    expect(size).toMatchObject({ width: 64, height: 48 });
  });

  test('writes the answer as it came', async () => {
    await segment('--click', '0.3,0.4', '--threshold', '0', '--out', 'answer.json');
    const answer = await Bun.file(join(folder, 'answer.json')).json();
    expect(answer).toMatchObject({ num_masks: 1, image_size: { width: 64, height: 48 } });
  });

  test.each([
    [['--out', 'no.png'], 'error: give --text, --box or --click: what to find\n'],
    [['--text', 'cat', '--out', 'no.npy'], /^error: --out no\.npy: expected a name that ends in/],
    [['--click', '0.3', '--out', 'no.png'], 'error: --click: expected 2 numbers, given "0.3"\n'],
    [['--box', '2,0.5,0.1,0.1', '--out', 'no.png'], /^error: 422: prompts\.0\.box/],
  ])('%j fails in one line', async (args, line) => {
    const { code, error } = await segment(...args);
    expect(code).toBe(1);
    expect(error).toMatch(line);
    expect(error.split('\n')).toHaveLength(2);
    expect(await Bun.file(join(folder, 'no.png')).exists()).toBe(false);
  });
});

describe('the pose example', () => {
  const frame = ['--depth', POSE_DEMO('depth.png'), '--camera', '300,300,159.5,119.5'];
  const object = ['--mesh', POSE_DEMO('mesh.ply')];

  test('writes four rows', async () => {
    const mask = ['--mask', POSE_DEMO('mask.png')];
    const { code, out, error } = await pose(...frame, ...object, ...mask, '--out', 'pose.txt');
    expect({ code, error }).toEqual({ code: 0, error: '' });
    expect(out).toMatch(/^the mesh's origin is at .* m \(geometric, by the mask\): score /m);
    const rows = (await Bun.file(join(folder, 'pose.txt')).text()).trim().split('\n');
    expect(rows.map((row) => row.split(' ').length)).toEqual([4, 4, 4, 4]);
    const { pose: truth } = await Bun.file(POSE_DEMO('scene.json')).json();
    const place = rows.slice(0, 3).map((row) => Number(row.split(' ')[3]));
    for (const [i, value] of place.entries()) expect(value).toBeCloseTo(truth[i][3], 2);
  });

  test.each([
    [['--out', 'no.txt'], /^error: give one of --mask, --text, --box and --click/],
    [['--mask', 'none.png', '--out', 'no.txt'], /^error: none\.png: no such file/],
    [['--text', 'cube', '--out', 'no.ply'], /^error: --out no\.ply: expected a name that ends in/],
    [
      ['--mask', POSE_DEMO('mask.png'), '--mesh-scale', '1000', '--out', 'no.txt'],
      /^error: 422: objects\.0\.mesh: .*a ratio of/,
    ],
  ])('%j fails in one line', async (args, line) => {
    const { code, error } = await pose(...frame, ...object, ...args);
    expect(code).toBe(1);
    expect(error).toMatch(line);
    expect(error.split('\n')).toHaveLength(2);
    expect(await Bun.file(join(folder, 'no.txt')).exists()).toBe(false);
  });
});
