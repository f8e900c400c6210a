import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestServer, testServer } from '../../../test/server.ts';
import { demoBytes, demoError, demoFile, foundationPoseBody, scene } from '../demo_fixture.ts';
import type { FoundationPoseAnswer } from './schema.ts';

setDefaultTimeout(60_000);

const PATH = '/foundationpose';

let server: TestServer;
let folder: string;
let body: Awaited<ReturnType<typeof foundationPoseBody>>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'triptych-pose-'));
  server = await testServer({ poseDir: folder });
  body = await foundationPoseBody();
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

async function answerOf(fields: object): Promise<FoundationPoseAnswer> {
  const response = await server.post(PATH, { ...body, ...fields });
  const text = await response.text();
  expect({ status: response.status, text: response.ok ? '' : text }).toEqual({
    status: 200,
    text: '',
  });
  return JSON.parse(text);
}

function expectTrue(pose: readonly (readonly number[])[]) {
  const { angle, distance } = demoError(pose);
  expect(angle).toBeLessThan(3);
  expect(distance).toBeLessThan(0.003);
}

describe('the document’s request', () => {
  test('is answered with the documented fields, and ours', async () => {
    const response = await server.post(PATH, body);
    expect(response.status).toBe(200);
    const answer = (await response.json()) as FoundationPoseAnswer;
    expect(answer).toEqual({
      status: 'Pose estimation complete',
      transformation_matrix: expect.any(Array),
      transformation_matrices: [answer.transformation_matrix],
      score: expect.any(Number),
      inlier_fraction: expect.any(Number),
      method: 'geometric',
      elapsed_ms: expect.any(Number),
      warnings: expect.any(Array),
    });
    const rows = answer.transformation_matrix;
    expect(rows.map((row) => row.length)).toEqual([4, 4, 4, 4]);
    expect(rows[3]).toEqual([0, 0, 0, 1]);
    expectTrue(rows);
    expect(response.headers.get('server-timing')).toContain('register;dur=');
  });

  test('with several images: the first is registered, the rest are tracked', async () => {
    const [first] = body.images;
    const names = ['a', 'b', 'c'];
    const images = names.map((filename) => ({ ...first, filename }));
    const answer = await answerOf({ images });
    expect(answer.transformation_matrices).toHaveLength(3);
    expect(answer.transformation_matrix).toEqual(answer.transformation_matrices[2]);
    for (const pose of answer.transformation_matrices) expectTrue(pose);
    for (const name of names) {
      expect(existsSync(join(folder, `debug/ob_in_cam/${name}.txt`))).toBe(true);
    }
  });

  test('with depthscale and mesh_scale: both are metres per unit', async () => {
    const { transformation_matrix: pose } = await answerOf({ depthscale: 0.002, mesh_scale: 2 });
    // Everything twice as large, and twice as far.
    const half = pose.map((row, i) =>
      row.map((value, k) => (k === 3 && i < 3 ? value / 2 : value)),
    );
    expectTrue(half);
  });

  test('with null for what is left out, as some clients write it', async () => {
    expectTrue((await answerOf({ depthscale: null, mesh_scale: null })).transformation_matrix);
  });
});

describe('what lies below DIR', () => {
  const files = (at: string) => readdirSync(join(folder, at)).sort();

  test('is laid out as the document says, and nothing else', async () => {
    const before = existsSync(join(folder, 'saved_requests')) ? files('saved_requests') : [];
    const images = [{ ...body.images[0], filename: 'frame_007.png' }];
    const { transformation_matrix: pose } = await answerOf({ images });
    const [id] = files('saved_requests').filter((name) => !before.includes(name));
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    const request = `saved_requests/${id}`;
    expect(files(request)).toEqual(['cam_K.txt', 'depth', 'masks', 'mesh', 'rgb']);
    for (const part of ['rgb', 'depth', 'masks']) {
      expect(files(`${request}/${part}`)).toEqual(['frame_007.png']);
    }
    expect(files(`${request}/mesh`)).toEqual(['frame_007.ply']);
    const mesh = await Bun.file(join(folder, request, 'mesh/frame_007.ply')).bytes();
    expect(mesh).toEqual(await demoBytes('mesh.ply'));
    const rgb = await Bun.file(join(folder, request, 'rgb/frame_007.png')).bytes();
    expect(rgb).toEqual(await demoBytes('rgb.png'));
    expect(await numbers(`${request}/cam_K.txt`)).toEqual(scene.camera_matrix);
    expect(await numbers('debug/ob_in_cam/frame_007.txt')).toEqual(pose);
    expect(files('.')).toEqual(['debug', 'saved_requests']);
  });

  async function numbers(name: string): Promise<number[][]> {
    const text = await Bun.file(join(folder, name)).text();
    return text
      .trim()
      .split('\n')
      .map((line) => line.split(' ').map(Number));
  }

  test('a name cannot leave it, nor be an odd one', async () => {
    const count = () => readdirSync(folder, { recursive: true }).length;
    const before = count();
    for (const filename of BAD_NAMES) {
      const images = [{ ...body.images[0], filename }];
      const response = await server.post(PATH, { ...body, images });
      const answer = (await response.json()) as { error: string; details: string };
      expect([filename, response.status]).toEqual([filename, 402]);
      expect(answer.details).toContain('images.0.filename');
    }
    expect(count()).toBe(before);
    expectTrue((await answerOf({})).transformation_matrix);
  });
});

const BAD_NAMES = [
  '',
  '.',
  '..',
  '../frame',
  '..\\frame',
  'a/b',
  '/etc/passwd',
  'a\0b',
  'a\nb',
  '.hidden',
  'a..b',
  'C:frame',
  'x'.repeat(101),
  '\u{1F600}',
  '한'.repeat(99),
];

test('a DIR that cannot be written is the server’s fault, and said', async () => {
  const file = join(folder, 'a-file');
  await Bun.write(file, '');
  const other = await testServer({ poseDir: file });
  const response = await other.post(PATH, body);
  expect(response.status).toBe(403);
  expect(await response.json()).toEqual({
    error: 'Pose estimation failed',
    details: 'the server failed on this request; its log says why',
  });
  other.close();
});

test('a request that no engine would take leaves nothing in DIR', async () => {
  const empty = join(folder, 'empty');
  const other = await testServer({ poseDir: empty });
  other.close();
  const response = await other.post(PATH, body);
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ details: 'the server is stopping' });
  expect(existsSync(join(empty, 'saved_requests'))).toBe(false);
});

test('a key is asked for before the body is looked at', async () => {
  const other = await testServer({ apiKey: 'a-key' });
  for (const sent of ['{', '', JSON.stringify(body)]) {
    const response = await other.post(PATH, sent);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(await response.json()).toEqual({ detail: 'API key required' });
  }
  const response = await other.post(PATH, '{', { authorization: 'Bearer a-key' });
  expect(response.status).toBe(402);
  other.close();
});

test('GET / says that the server is running', async () => {
  const response = await server.handle(new Request('http://localhost/'));
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ status: 'running' });
});

test('a server without DIR writes nothing and answers the same', async () => {
  const other = await testServer();
  const response = await other.post(PATH, { ...body, mesh: await demoFile('mesh.ply') });
  expect(response.status).toBe(200);
  expectTrue(((await response.json()) as FoundationPoseAnswer).transformation_matrix);
  other.close();
});

test('the docs have every field with an example, which can be sent', async () => {
  const docs = await server.handle(new Request('http://localhost/docs/json'));
  const { paths } = (await docs.json()) as { paths: Record<string, { post: Operation }> };
  const { requestBody, responses } = paths[PATH].post;
  const schema = requestBody.content['application/json'].schema;
  const answer = responses['200'].content['application/json'].schema;
  for (const [name, field] of Object.entries({ ...schema.properties, ...answer.properties })) {
    expect([name, field.description]).toEqual([name, expect.any(String)]);
    expect([name, field.example ?? null]).not.toEqual([name, null]);
  }
  for (const status of ['401', '402', '403', '500']) {
    const failure = responses[status].content['application/json'].schema;
    expect(Object.keys(failure.properties)).toEqual(['error', 'details']);
  }
  const response = await server.post(PATH, schema.example);
  expect(response.status).toBe(200);
});

interface Schema {
  readonly properties: Record<string, { description?: string; example?: unknown }>;
  readonly example?: unknown;
}
interface Content {
  readonly content: Record<string, { schema: Schema }>;
}
interface Operation {
  readonly requestBody: Content;
  readonly responses: Record<string, Content>;
}
