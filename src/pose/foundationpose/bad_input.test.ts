/** Each bad input gets its documented code and body; then a good request works. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import sharp from 'sharp';
import { type TestServer, testServer } from '../../../test/server.ts';
import { MediaError } from '../../media/errors.ts';
import { demoBytes, foundationPoseBody } from '../demo_fixture.ts';
import { PoseCheckError, PoseRefusedError } from '../errors.ts';
import { rigidProblem } from '../rigid.ts';
import { failureOf } from './errors.ts';
import { refuses as refusal } from './refusal_fixture.ts';

setDefaultTimeout(60_000);

const PATH = '/foundationpose';
const MALFORMED = 'Invalid JSON format!';
const FAILED = 'Pose estimation failed';

let server: TestServer;
let body: Awaited<ReturnType<typeof foundationPoseBody>>;

beforeAll(async () => {
  server = await testServer({ maxUploadMb: '2', maxImageMegapixels: '2' });
  body = await foundationPoseBody();
});
afterAll(() => server.close());

const refuses = (
  sent: unknown,
  status: number,
  error: string,
  words: readonly (string | RegExp)[] = [],
  headers: Record<string, string> = {},
) => refusal(server, sent, { status, error, words, headers });

const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64');

describe('401: there is no JSON', () => {
  test.each([
    ['an empty body', ''],
    ['blanks', ' \n '],
    ['null', 'null'],
    ['false', 'false'],
    ['0', '0'],
    ['""', '""'],
    ['{}', '{}'],
    ['[]', '[]'],
  ])('%s', (_, text) => refuses(text, 401, 'Invalid or empty JSON!'));

  test.each(['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x'])(
    '%s',
    (type) =>
      refuses(JSON.stringify(body), 401, 'Invalid or empty JSON!', [], { 'content-type': type }),
  );

  test('no body at all', async () => {
    const request = new Request(`http://localhost${PATH}`, { method: 'POST' });
    const response = await server.handle(request);
    expect(response.status).toBe(401);
    expect(await response.json()).toEqual({ error: 'Invalid or empty JSON!' });
  });
});

describe('402: JSON that cannot be parsed', () => {
  test.each([
    ['cut', '{"camera_matrix": [[1,'],
    ['with comments, as in the document', '{"mask": "aGk=" // a mask\n}'],
    ['not UTF-8', '\u{D800}'],
    ['words', 'hello'],
  ])('%s', (_, text) => refuses(text, 402, MALFORMED, [/the body/]));

  test.each([
    ['text', '"hello"'],
    ['a number', '7'],
    ['a list', '[1]'],
    ['true', 'true'],
  ])('JSON that is %s', (_, text) => refuses(text, 402, MALFORMED, [/the body|camera_matrix/]));
});

describe('402: fields that are missing or malformed', () => {
  const missing = ['camera_matrix', 'images', 'mask', 'mesh'] as const;
  test.each(missing)('no %s', (name) => {
    const { [name]: _, ...rest } = body;
    return refuses(rest, 402, MALFORMED, [name, 'required']);
  });

  test.each(['filename', 'rgb', 'depth'] as const)('no %s of an image', (name) => {
    const { [name]: _, ...rest } = body.images[0];
    return refuses({ ...body, images: [rest] }, 402, MALFORMED, [`images.0.${name}`, 'required']);
  });

  test.each<[string, unknown, RegExp]>([
    ['of four rows', identity(4), /camera_matrix: given 4×4 numbers; expected \[\[fx/],
    ['of 17 rows', identity(17), /camera_matrix: .*16/],
    [
      'of 17 columns',
      rows(300, 300, 160, 120).map((row) => [...row, ...Array(14).fill(0)]),
      /camera_matrix.*16/,
    ],
    ['flat', [300, 0, 160, 0, 300, 120, 0, 0, 1], /camera_matrix/],
    ['singular', rows(0, 0, 0, 0), /camera_matrix: it is singular/],
    ['of rank two', rows(300, 0, 160, 120), /camera_matrix: it is singular/],
    ['mirrored', rows(-300, 300, 160, 120), /camera_matrix: its focal lengths/],
    ['transposed', transposed(rows(300, 300, 160, 120)), /camera_matrix: its last row/],
    ['with NaN, which JSON writes as null', rows(Number.NaN, 300, 160, 120), /camera_matrix/],
    ['beyond float32', rows(1e300, 300, 160, 120), /camera_matrix/],
    [
      'with skew',
      [
        [300, 5, 160],
        [0, 300, 120],
        [0, 0, 1],
      ],
      /camera_matrix: its skew/,
    ],
    ['of text', 'K', /camera_matrix/],
    ['of lists of text', [['a', 'b', 'c']], /camera_matrix/],
  ])('K %s', (_, camera_matrix, word) =>
    refuses({ ...body, camera_matrix }, 402, MALFORMED, [word]),
  );

  test.each<[string, object, RegExp]>([
    ['no images', { images: [] }, /images/],
    ['images that are none', { images: 'frame' }, /images/],
    ['too many images', { images: Array(65).fill({}) }, /images/],
    ['depthscale 0', { depthscale: 0 }, /depthscale/],
    ['depthscale of text', { depthscale: 'mm' }, /depthscale/],
    ['mesh_scale below 0', { mesh_scale: -1 }, /mesh_scale/],
    ['a mask that is no base64', { mask: '*' }, /mask/],
    ['a mask that is no picture', { mask: base64('hello') }, /mask .*expected/],
    ['a mesh that is no mesh', { mesh: base64('hello') }, /mesh .*expected a mesh/],
    ['a number as mesh', { mesh: 7 }, /mesh: expected string/],
  ])('%s', (_, fields, word) => refuses({ ...body, ...fields }, 402, MALFORMED, [word]));

  test('a name that comes twice', () => {
    const images = [body.images[0], body.images[0]];
    return refuses({ ...body, images }, 402, MALFORMED, [/images\.1\.filename/, /again/]);
  });

  const image = (fields: object) => ({ ...body, images: [{ ...body.images[0], ...fields }] });

  test('a depth of another size', async () => {
    const depth = await sharp(await demoBytes('depth.png'))
      .resize(160, 120, { kernel: 'nearest' })
      .toColourspace('grey16')
      .png()
      .toBuffer();
    await refuses(image({ depth: base64(depth) }), 402, MALFORMED, [
      /images\.0\.depth is 160x120, images\.0\.rgb 320x240/,
    ]);
  });

  test('a depth of 8 bits', async () => {
    const create = { width: 320, height: 240, channels: 3 as const, background: '#808080' };
    const depth = await sharp({ create }).toColourspace('b-w').png().toBuffer();
    await refuses(image({ depth: base64(depth) }), 402, MALFORMED, [
      /images\.0\.depth is a PNG with 8-bit samples/,
    ]);
  });

  test('a picture that is a bomb', async () => {
    const create = { width: 5000, height: 5000, channels: 3 as const, background: '#808080' };
    const rgb = await sharp({ create }).png().toBuffer();
    await refuses(image({ rgb: base64(rgb) }), 402, MALFORMED, [/images\.0\.rgb/, /25000000/]);
  });

  test('an address instead of a picture', () =>
    refuses(image({ rgb: 'http://127.0.0.1:1/a.png' }), 402, MALFORMED, [/images\.0\.rgb/]));
});

describe('403: there is no pose', () => {
  const mask = async (paint: (pixels: Buffer) => void) => {
    const pixels = Buffer.alloc(320 * 240);
    paint(pixels);
    const raw = { width: 320, height: 240, channels: 1 as const };
    return base64(await sharp(pixels, { raw }).toColourspace('b-w').png().toBuffer());
  };

  test('for an empty mask', async () =>
    refuses({ ...body, mask: await mask(() => {}) }, 403, FAILED, [/mask: it is empty/]));

  test('for a mask with fewer than 4 valid depths', async () =>
    refuses(
      { ...body, mask: await mask((pixels) => pixels.fill(255, 40_000, 40_003)) },
      403,
      FAILED,
      [/mask: .*3 .*expected at least 4/],
    ));

  test('where there is no depth at all', async () => {
    const empty = new Uint16Array(320 * 240);
    const raw = { width: 320, height: 240, channels: 1 as const };
    const depth = await sharp(empty, { raw }).toColourspace('grey16').png().toBuffer();
    const images = [{ ...body.images[0], depth: base64(depth) }];
    await refuses({ ...body, images }, 403, FAILED, [/mask: .*expected at least 4/]);
  });

  test.each<[string, object, RegExp[]]>([
    [
      'a mesh in millimetres',
      { mesh_scale: 1000 },
      [/a ratio of \d+/, /likely in mm \(millimetres\): send mesh_scale 1\b/],
    ],
    [
      'a mesh taken for millimetres',
      { mesh_scale: 0.001 },
      [/a ratio of 0\.00\d+/, /mm \(millimetres\) and is in metres: send mesh_scale 1;/],
    ],
    [
      'a depth read as metres',
      { depthscale: 1 },
      [/a ratio of 0\.00\d+/, /depth is in mm and was read as metres: send depthscale 0\.001/],
    ],
  ])('%s', (_, fields, words) => refuses({ ...body, ...fields }, 403, FAILED, words));
});

describe('500: what was found is no rotation', () => {
  const turn = [0, -1, 0, 0.1, 1, 0, 0, 0.2, 0, 0, 1, 0.9, 0, 0, 0, 1];

  test('RᵀR and the determinant may be off by 1e-4, not more', () => {
    expect(rigidProblem(turn, 1e-4)).toBeNull();
    const near = turn.map((value) => value * (1 + 2e-5));
    near[15] = 1;
    expect(rigidProblem(near, 1e-4)).toBeNull();
    const scaled = turn.with(1, -1.001);
    expect(rigidProblem(scaled, 1e-4)).toMatch(/RᵀR/);
    expect(rigidProblem(turn.with(0, Number.NaN), 1e-4)).toMatch(/not finite/);
    // A mirror image has RᵀR = I.
    expect(rigidProblem(turn.with(10, -1), 1e-4)).toMatch(/determinant is -1/);
    expect(rigidProblem(turn.with(12, 0.5), 1e-4)).toMatch(/last row/);
  });

  test('has the documented body', () => {
    expect(failureOf(new PoseCheckError('the pose is none'))).toMatchObject({
      status: 500,
      body: { error: 'Pose estimation error', details: 'the pose is none' },
      isOurs: true,
    });
  });
});

describe('other failures', () => {
  test('of ours are 403 and do not tell their inner workings', () => {
    const { status, body: told, isOurs } = failureOf(new Error('secret path'));
    expect({ status, isOurs }).toEqual({ status: 403, isOurs: true });
    expect(JSON.stringify(told)).not.toContain('secret');
  });

  test('of the caller are told', () => {
    expect(failureOf(new MediaError(422, 'mask is bad')).body.details).toBe('mask is bad');
    expect(failureOf(new PoseRefusedError('pose', 'too far')).status).toBe(403);
    expect(failureOf(new PoseRefusedError('mesh', 'mesh is bad')).status).toBe(402);
  });

  test('a body beyond the limit is 413', () =>
    refuses({ ...body, mesh: 'A'.repeat(3 << 20) }, 413, MALFORMED, [/2 MiB/]));
});

function rows(fx: number, fy: number, cx: number, cy: number): number[][] {
  return [
    [fx, 0, cx],
    [0, fy, cy],
    [0, 0, 1],
  ];
}

function identity(size: number): number[][] {
  return Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, k) => +(i === k)));
}

function transposed(matrix: number[][]): number[][] {
  return matrix.map((_, i) => matrix.map((row) => row[i]));
}
