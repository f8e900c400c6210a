import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { detailOf, type TestServer, testServer } from '../test/server.ts';

const get = (server: TestServer, path: string, headers: Record<string, string> = {}) =>
  server.handle(new Request(`http://localhost${path}`, { headers }));

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

  test('asks before it looks at the body', async () => {
    for (const body of ['{', '[]', 'x'.repeat(100)]) {
      expect((await server.post('/pc', body)).status).toBe(401);
    }
    const request = new Request('http://localhost/pc', { method: 'POST' });
    expect((await server.handle(request)).status).toBe(401);
  });
});

describe('a server without keys', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await testServer({ corsOrigins: 'https://robot.example' });
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

  test('an unknown path is 404 with a detail', async () => {
    const response = await get(server, '/nowhere');
    expect(response.status).toBe(404);
    expect(await detailOf(response)).toBeString();
  });

  test('the OpenAPI file describes every field of every route, with an example', async () => {
    const document = (await (await get(server, '/docs/json')).json()) as OpenApi;
    for (const path of ['/pc', '/metric_depth', '/rel_depth']) {
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

  test.each(['/pc', '/metric_depth', '/rel_depth'])(
    'the docs’ example of %s works',
    async (path) => {
      const document = (await (await get(server, '/docs/json')).json()) as OpenApi;
      const { requestBody } = document.paths[path].post;
      const response = await server.post(
        path,
        requestBody.content['application/json'].schema.example,
      );
      expect(response.status).toBe(200);
    },
  );

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
