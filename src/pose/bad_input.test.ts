/** Each bad input gets its 4xx and a detail that names the field; then a good request works. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import sharp from 'sharp';
import { detailOf, type TestServer, testServer } from '../../test/server.ts';
import { encodeRle } from '../media/rle.ts';
import { demoFile, frameBody, scene } from './demo_fixture.ts';

setDefaultTimeout(60_000);

const ESTIMATE = '/api/v1/pose/estimate';
const TRACK = '/api/v1/pose/track';

let server: TestServer;
let frame: Awaited<ReturnType<typeof frameBody>>;
let good: { mesh: string; mask: string };
let tracked: { mesh: string; pose: number[][] };

beforeAll(async () => {
  server = await testServer({ maxUploadMb: '2', maxImageMegapixels: '2', maxMeshTriangles: '100' });
  frame = await frameBody();
  good = { mesh: await demoFile('mesh.ply'), mask: await demoFile('mask.png') };
  tracked = { mesh: good.mesh, pose: scene.pose };
});
afterAll(() => server.close());

async function refuses(path: string, body: unknown, status: number, ...words: (string | RegExp)[]) {
  const response = await server.post(path, body);
  const detail = await detailOf(response);
  expect({ status: response.status, detail }).toEqual({ status, detail: expect.any(String) });
  for (const word of words) expect(detail).toMatch(word);
  const next = await server.post(TRACK, { ...frame, objects: [tracked] });
  expect(next.status).toBe(200);
}

const estimate = (fields: object, status: number, ...words: (string | RegExp)[]) =>
  refuses(ESTIMATE, { ...frame, objects: [good], ...fields }, status, ...words);
const estimateObject = (fields: object, status: number, ...words: (string | RegExp)[]) =>
  estimate({ objects: [{ ...good, ...fields }] }, status, ...words);
const track = (fields: object, status: number, ...words: (string | RegExp)[]) =>
  refuses(TRACK, { ...frame, objects: [{ ...tracked, ...fields }] }, status, ...words);

const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64');
const text = (what: string) => base64(what);

describe('the frame', () => {
  test('without depth is 400, which says what is needed and where to get it', () =>
    estimate({ depth: undefined }, 400, /^depth: there is none/, /16-bit/, /\/metric_depth/));

  test('tracked without depth is the same', () =>
    refuses(TRACK, { ...frame, depth: null, objects: [tracked] }, 400, /^depth: there is none/));

  test('without a picture', () => estimate({ image: undefined }, 422, /^image: /));
  test('without a camera', () => estimate({ camera_matrix: undefined }, 422, /given neither/));
  test('with two cameras', () =>
    estimate({ camera_intrinsics: { fx: 1, fy: 1, cx: 0, cy: 0 } }, 422, /given both/));
  test('that is no JSON', () => refuses(ESTIMATE, '{', 400, /not JSON/));
  test('that is too large', () => estimate({ image: 'A'.repeat(3 << 20) }, 413, /2 MiB/));

  test.each<[string, unknown, RegExp]>([
    ['4×4', [1, 2, 3, 4].map((_, i) => [0, 1, 2, 3].map((k) => +(i === k))), /camera_matrix/],
    ['flat', [300, 0, 160, 0, 300, 120, 0, 0, 1], /camera_matrix\.0/],
    [
      'singular',
      [
        [0, 0, 0],
        [0, 0, 0],
        [0, 0, 1],
      ],
      /camera_matrix: it is singular/,
    ],
    [
      'of short rows',
      [
        [300, 0],
        [0, 300],
        [0, 0],
      ],
      /camera_matrix: given 3×2/,
    ],
    ['text', 'K', /camera_matrix: expected a list/],
  ])('K %s', (_, camera_matrix, word) => estimate({ camera_matrix }, 422, word));

  test.each<[string, object, RegExp]>([
    ['zero', { fx: 0, fy: 300, cx: 1, cy: 1 }, /camera_intrinsics: it is singular/],
    ['negative', { fx: 300, fy: -300, cx: 1, cy: 1 }, /camera_intrinsics: its focal/],
    ['incomplete', { fx: 300, fy: 300 }, /camera_intrinsics\.cx/],
  ])('intrinsics %s', (_, camera_intrinsics, word) =>
    estimate({ camera_matrix: undefined, camera_intrinsics }, 422, word),
  );

  test('with a depth of another size', async () => {
    const depth = await sharp(Buffer.from(frame.depth, 'base64'))
      .resize(160, 120, { kernel: 'nearest' })
      .toColourspace('grey16')
      .png()
      .toBuffer();
    await estimate({ depth: base64(depth) }, 422, /depth is 160x120, image 320x240/);
  });

  test('with a depth of 8 bits', () => estimate({ depth: good.mask }, 422, /depth is .*8-bit/));
  test.each<[string, object, RegExp]>([
    ['depth_scale 0', { depth_scale: 0 }, /depth_scale/],
    ['top_k 0', { top_k: 0 }, /top_k/],
    ['iterations 21', { iterations: 21 }, /iterations/],
    ['another method', { method: 'icp' }, /method: expected one of auto, geometric, learned/],
    ['no objects', { objects: [] }, /objects/],
    ['objects that are none', { objects: 'bracket' }, /objects: expected a list/],
    ['an object that is none', { objects: ['bracket'] }, /objects\.0: expected an object/],
    ['too many objects', { objects: Array(17).fill({}) }, /objects: expected at most 16/],
  ])('%s', (_, fields, word) => estimate(fields, 422, word));

  test.each<[string, (fields: object) => Promise<void>]>([
    [
      'estimate',
      (fields) =>
        estimate(
          { ...fields, objects: [{ ...good, check_units: false }] },
          422,
          /^objects\.0\.mask: the mask has 0 pixels with a depth from 0\.001 to 100 m.*scale/,
        ),
    ],
    [
      'track',
      (fields) =>
        refuses(
          TRACK,
          { ...frame, ...fields, objects: [tracked] },
          422,
          /^objects\.0\.pose: 0 pixels have a depth .*scale/,
        ),
    ],
  ])('a depth in millimetres read as metres: %s', (_, refused) => refused({ depth_scale: 1 }));

  test('the learned method, which is not installed, is 503 with the command', () =>
    estimate({ method: 'learned' }, 503, /bun run models pull foundationpose`/));
});

describe('an object', () => {
  test('without a mesh', () => estimateObject({ mesh: undefined }, 422, /objects\.0\.mesh/));
  test('without a mask', () => estimateObject({ mask: null }, 422, /objects\.0\.mask.*neither/));
  test('with a mask and a prompt', () =>
    estimateObject({ prompt: { text: 'cube' } }, 422, /objects\.0\.mask.*both/));
  test('with a mesh that is none', () =>
    estimateObject({ mesh: text('hello') }, 422, /objects\.0\.mesh .*expected a mesh/));
  test('with a mesh that names no file of a form', () =>
    estimateObject({ mesh: 'bracket!' }, 422, /objects\.0\.mesh/));
  test('with too many triangles', () => {
    const faces = `${'f 1 2 3\n'.repeat(101)}`;
    const mesh = text(`v 0 0 0\nv 1 0 0\nv 0 1 0\n${faces}`);
    return estimateObject({ mesh }, 422, /objects\.0\.mesh .*101.*at most 100/);
  });
  test('with a texture that its mesh cannot use', () =>
    estimateObject({ texture: good.mask }, 422, /objects\.0\.texture/));
  test('with mesh_scale 0', () => estimateObject({ mesh_scale: 0 }, 422, /mesh_scale/));

  test('with an empty mask', async () => {
    const create = { width: 320, height: 240, channels: 3 as const, background: '#000' };
    const mask = base64(await sharp({ create }).png().toBuffer());
    await estimateObject({ mask }, 422, /objects\.0\.mask: it is empty/);
  });

  test('with a mask of three pixels', () => {
    const pixels = new Uint8Array(240 * 320).fill(1, 40_000, 40_003);
    const mask = { size: [240, 320], counts: encodeRle(pixels, 240, 320) };
    return estimateObject({ mask }, 422, /objects\.0\.mask: .*at least 4/);
  });

  test.each<[string, unknown, RegExp]>([
    ['of another length', { size: [2, 2], counts: '9' }, /objects\.0\.mask\.counts/],
    ['without a size', { size: [], counts: '4' }, /objects\.0\.mask\.size/],
    ['of a size without end', { size: [1e9, 1e9], counts: '4' }, /objects\.0\.mask\.size/],
    ['whose size is text', { size: '22', counts: '4' }, /objects\.0\.mask\.size: expected a list/],
  ])('with run lengths %s', (_, mask, word) => estimateObject({ mask }, 422, word));

  test('in another unit is refused with the ratio, unless the check is left out', async () => {
    await estimateObject({ mesh_scale: 1000 }, 422, /a ratio of \d+/, /objects\.0\.mesh_scale 1\b/);
    const objects = [{ ...good, mesh_scale: 4, check_units: false }];
    const response = await server.post(ESTIMATE, { ...frame, objects });
    const {
      objects: [found],
    } = (await response.json()) as Answer;
    expect(found.warnings.join()).toContain('inlier_fraction is');
  });

  test.each<[string, unknown, RegExp]>([
    ['are a list', [], /objects\.0\.symmetries: expected an object/],
    [
      'are no matrices',
      { discrete: ['x'] },
      /objects\.0\.symmetries\.discrete\.0: expected a list/,
    ],
    [
      'are no motions',
      { discrete: [[2, 0, 0, 0, 2, 0, 0, 0, 2]] },
      /objects\.0\.symmetries: discrete\[0\]/,
    ],
    [
      'have no direction',
      { continuous: [{ axis: [0, 0, 0] }] },
      /objects\.0\.symmetries: continuous\[0\]\.axis/,
    ],
    [
      'have a short axis',
      { continuous: [{ axis: [0, 1] }] },
      /objects\.0\.symmetries\.continuous\.0\.axis/,
    ],
  ])('whose symmetries %s', (_, symmetries, word) => estimateObject({ symmetries }, 422, word));
});

describe('a prompt', () => {
  const prompt = (value: unknown, status: number, ...words: RegExp[]) =>
    estimateObject({ mask: undefined, prompt: value }, status, ...words);

  test('that finds nothing', () =>
    prompt({ text: 'unicorn' }, 422, /objects\.0\.prompt: nothing was found/));
  test('without anything in it', () => prompt({}, 422, /objects\.0\.prompt: expected text, box/));
  test('that is no object', () => prompt('cube', 422, /objects\.0\.prompt: expected an object/));
  test('in pixels', () => prompt({ points: [[160, 120]] }, 422, /objects\.0\.prompt/));
  test('with a box of no size', () =>
    prompt({ box: [0.5, 0.5, 0, 0] }, 422, /objects\.0\.prompt\.box/));
});

describe('a last pose', () => {
  test.each<[string, unknown, RegExp]>([
    ['of three rows', scene.pose.slice(0, 3), /objects\.0\.pose/],
    ['flat', scene.pose.flat(), /objects\.0\.pose\.0: expected a row/],
    ['that is scaled', scene.pose.map((row, i) => (i < 3 ? row.map((v) => 2 * v) : row)), /RᵀR/],
    ['that is transposed', scene.pose.map((_, i) => scene.pose.map((row) => row[i])), /last row/],
    ['behind the camera', moved([0, 0, -5]), /objects\.0\.pose: /],
    ['out of sight', moved([50, 0, 0]), /objects\.0\.pose: /],
  ])('%s', (_, pose, word) => track({ pose }, 422, word));
  test('that is absent', () => track({ pose: undefined }, 422, /objects\.0\.pose: required/));
});

function moved(by: number[]): number[][] {
  return scene.pose.map((row, i) => (i < 3 ? row.with(3, row[3] + by[i]) : row));
}

interface Answer {
  readonly objects: { readonly warnings: string[] }[];
}
