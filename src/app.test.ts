import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { detailOf, type TestServer, testServer } from '../test/server.ts';

/** A tiny SAM 3, for routes that need all its parts. */
const SAM3 = join(import.meta.dir, '../test/fixtures/segment-parity');

const POSTS = [
  '/pc',
  '/metric_depth',
  '/rel_depth',
  '/api/v1/image/segment',
  '/api/v1/image/cached-features',
  '/api/v1/pose/estimate',
  '/api/v1/pose/track',
];

const get = (server: TestServer, path: string, headers: Record<string, string> = {}) =>
  server.handle(new Request(`http://localhost${path}`, { headers }));

describe('values that cannot be written as text', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await testServer();
  });
  afterAll(() => server.close());

  test.each(POSTS)('%s refuses them as any other of the wrong type', async (path) => {
    for (const image of [{ toString: 1 }, { valueOf: 1, toString: null }]) {
      const response = await server.post(path, { image });
      expect(response.status).toBe(422);
      expect(await detailOf(response)).toBeString();
    }
  });
});

describe('a server with keys', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await testServer({ apiKey: 'first-key, second-key' });
  });
  afterAll(() => server.close());

  const post = (authorization?: string) =>
    server.post('/metric_depth', {}, authorization ? { authorization } : {});

  test('asks for one', async () => {
    const response = await post();
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(await detailOf(response)).toBe('API key required');
  });

  test.each([
    'Bearer wrong',
    'Bearer first-key2',
    'Bearer first-ke',
    'Bearer first-key,second-key',
  ])('refuses "%s"', async (authorization) => {
    const response = await post(authorization);
    expect(response.status).toBe(401);
    expect(await detailOf(response)).toBe('Invalid API key');
  });

  test.each(['Bearer first-key', 'bearer second-key'])('lets "%s" in', async (authorization) => {
    expect((await post(authorization)).status).toBe(422);
  });

  test('leaves /health and the docs open', async () => {
    expect((await get(server, '/health')).status).toBe(200);
    expect((await get(server, '/docs/json')).status).toBe(200);
  });

  test.each(POSTS)('%s asks before it looks at the body', async (path) => {
    for (const body of ['{', '[]', 'x'.repeat(100)]) {
      expect((await server.post(path, body)).status).toBe(401);
    }
    const request = new Request(`http://localhost${path}`, { method: 'POST' });
    expect((await server.handle(request)).status).toBe(401);
    expect((await server.post(path, {}, { authorization: 'Bearer first-key' })).status).toBe(422);
  });

  test.each(['/metrics', '/models/info'])('%s needs one', async (path) => {
    expect((await get(server, path)).status).toBe(401);
    expect((await get(server, path, { authorization: 'Bearer first-key' })).status).toBe(200);
  });

  test('pictures of answers need none, because their names are secrets', async () => {
    expect((await get(server, '/api/v1/image/visualization/guess.png')).status).toBe(404);
  });
});

describe('a server without keys', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await testServer({ corsOrigins: 'https://robot.example', sam3Checkpoint: SAM3 });
  });
  afterAll(() => server.close());

  test('/health has the documented fields', async () => {
    expect(await (await get(server, '/health')).json()).toMatchObject({
      status: 'healthy',
      device: expect.stringContaining('cpu'),
      worker_id: 0,
      gpu_id: null,
      gpu_available: false,
      gpu_count: 0,
      models_loaded: [],
      total_model_instances: 0,
      request_counter: 0,
      active_sessions: 0,
    });
    await server.post('/metric_depth', {});
    expect(await (await get(server, '/health')).json()).toMatchObject({ request_counter: 1 });
  });

  test('/models/info has the documented fields', async () => {
    expect(await (await get(server, '/models/info')).json()).toMatchObject({
      image_model: {
        loaded: true,
        checkpoint: join(SAM3, 'vision-encoder.onnx'),
        device: expect.stringContaining('cpu'),
        memory_mb: expect.any(Number),
        capabilities: [
          'text_prompt',
          'box_prompt',
          'point_prompt',
          'batch_processing',
          'video_tracking',
          'feature_caching',
        ],
      },
      models: { depth: [expect.objectContaining({ id: 'depth-mini', origin: 'embedded' })] },
      server_version: expect.any(String),
      sam3_version: expect.any(String),
    });
  });

  test('an unknown path is 404 with a detail', async () => {
    const response = await get(server, '/nowhere');
    expect(response.status).toBe(404);
    expect(await detailOf(response)).toBeString();
  });

  test('the OpenAPI file describes every field of every route, with an example', async () => {
    const document = (await (await get(server, '/docs/json')).json()) as OpenApi;
    for (const path of POSTS) {
      const { requestBody, responses } = document.paths[path].post;
      for (const schema of [
        requestBody.content['application/json'].schema,
        responses['200'].content['application/json'].schema,
      ]) {
        for (const [name, field] of Object.entries(schema.properties)) {
          expect([path, name, field.description]).toEqual([path, name, expect.any(String)]);
          expect([path, name, field.example ?? null]).not.toEqual([path, name, null]);
        }
      }
      for (const status of ['400', '401', '413', '422', '503']) {
        expect(responses[status].description).toBeString();
      }
    }
  });

  test.each(POSTS)('the docs’ example of %s works', async (path) => {
    const document = (await (await get(server, '/docs/json')).json()) as OpenApi;
    const { requestBody } = document.paths[path].post;
    const response = await server.post(
      path,
      requestBody.content['application/json'].schema.example,
    );
    expect(response.status).toBe(200);
  });

  test('lets only the configured origin in', async () => {
    const allowed = await get(server, '/health', { origin: 'https://robot.example' });
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://robot.example');
    expect(allowed.headers.get('access-control-expose-headers')).toContain('X-Shape');
    const other = await get(server, '/health', { origin: 'https://other.example' });
    expect(other.headers.get('access-control-allow-origin')).not.toBe('https://other.example');
  });
});

test('strict models: 503 with the command that installs one', async () => {
  const server = await testServer({ strictModels: 'true' });
  const image = 'iVBORw0KGgo=';
  const response = await server.post('/metric_depth', { image, encoder: 'vits' });
  expect(response.status).toBe(503);
  expect(await detailOf(response)).toContain(
    'bun run models pull depth-anything-v2-metric-indoor-small',
  );
  server.close();
});

interface Field {
  description?: string;
  example?: unknown;
}
interface Content {
  content: Record<string, { schema: { properties: Record<string, Field>; example?: unknown } }>;
  description?: string;
}
interface OpenApi {
  paths: Record<string, { post: { requestBody: Content; responses: Record<string, Content> } }>;
}
