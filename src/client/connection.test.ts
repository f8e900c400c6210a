import { afterAll, expect, test } from 'bun:test';
import {
  ApiError,
  type ClientOptions,
  getHealth,
  NoAnswerError,
  predictMetricDepth,
  serverStages,
} from './index.ts';

/** Servers that misbehave as proxies, other servers and broken lines do. */
const started: { stop(force: boolean): unknown }[] = [];

function serve(answer: (request: Request) => Response | Promise<Response>): string {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: answer });
  started.push(server);
  return server.url.href;
}

afterAll(async () => {
  await Promise.all(started.map((server) => server.stop(true)));
});

function failure(options: ClientOptions & { binary?: true }): Promise<Error> {
  return predictMetricDepth({ image: 'AAAA' }, options).then(
    () => expect.unreachable('it was answered'),
    (error) => error,
  );
}

function rawAnswer(headers: Record<string, string>, bytes: number): string {
  const type = { 'Content-Type': 'application/octet-stream' };
  return serve(() => new Response(new Uint8Array(bytes), { headers: { ...type, ...headers } }));
}

test('a path in the address is kept, with and without a slash; the key is sent', async () => {
  const seen: (string | null)[] = [];
  const base = serve((request) => {
    seen.push(new URL(request.url).pathname, request.headers.get('authorization'));
    return Response.json({ status: 'healthy' });
  });
  await getHealth({ baseUrl: `${base}depth`, apiKey: 'sk-1' });
  await getHealth({ baseUrl: new URL(`${base}depth/`) });
  expect(seen).toEqual(['/depth/health', 'Bearer sk-1', '/depth/health', null]);
});

test('nobody there is NoAnswerError, with the address', async () => {
  const gone = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() });
  const baseUrl = gone.url.href;
  await gone.stop(true);
  const error = await failure({ baseUrl });
  expect(error).toBeInstanceOf(NoAnswerError);
  expect(error).toMatchObject({ reason: 'unreachable' });
  expect(error.message).toContain(`${baseUrl}metric_depth`);
});

test('a server that does not answer in time is NoAnswerError, while others are waited for', async () => {
  const silent = serve(() => new Promise(() => {}));
  const error = await failure({ baseUrl: silent, timeout: 50 });
  expect(error).toBeInstanceOf(NoAnswerError);
  expect(error).toMatchObject({ reason: 'timeout' });
  const slow = serve(async () => {
    await Bun.sleep(100);
    return Response.json({ status: 'healthy' });
  });
  expect((await getHealth({ baseUrl: slow, timeout: 60_000 })).status).toBe('healthy');
});

test('an answer that stops in its middle counts against the time too', async () => {
  const stuck = serve(
    () =>
      new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(new TextEncoder().encode('{"depth_map":')),
          pull: () => new Promise(() => {}),
        }),
        { headers: { 'Content-Type': 'application/json' } },
      ),
  );
  expect(await failure({ baseUrl: stuck, timeout: 100 })).toMatchObject({ reason: 'timeout' });
});

test("aborting gives the signal's reason, before and during the request", async () => {
  const baseUrl = serve(() => new Promise(() => {}));
  const reason = new Error('the user went back');
  expect(await failure({ baseUrl, signal: AbortSignal.abort(reason) })).toBe(reason);
  const stop = new AbortController();
  const waiting = failure({ baseUrl, signal: stop.signal });
  setTimeout(() => stop.abort(reason), 20);
  expect(await waiting).toBe(reason);
});

test.each([
  ['{"detail":"busy"}', 'busy'],
  ['{"detail":[{"loc":["body","image"],"msg":"field required"}]}', 'field required'],
  ['<h1>Bad Gateway</h1>', '<h1>Bad Gateway</h1>'],
  ['', 'Service Unavailable'],
])('the detail of %j is %j', async (body, detail) => {
  const init = { status: 503, statusText: 'Service Unavailable', headers: { 'Retry-After': '2' } };
  const error = await failure({ baseUrl: serve(() => new Response(body, init)) });
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status: 503, retryAfterSeconds: 2 });
  expect((error as ApiError).detail).toContain(detail);
});

test('a page where JSON or raw floats were expected is not taken for an answer', async () => {
  const html = { headers: { 'Content-Type': 'text/html; charset=utf-8' } };
  const baseUrl = serve(() => new Response('<html>', html));
  expect((await failure({ baseUrl })).message).toContain('text/html, not application/json');
  expect((await failure({ baseUrl, binary: true })).message).toContain('octet-stream');
  const json = { headers: { 'Content-Type': 'application/json' } };
  const cut = serve(() => new Response('{"depth_map": "AA', json));
  expect(await failure({ baseUrl: cut })).toBeInstanceOf(ApiError);
});

test('raw floats without their headers, or fewer than these say, are refused', async () => {
  const facts = { 'X-Min': '0', 'X-Max': '1', 'X-Kind': 'metric', 'X-Unit': 'metre' };
  const whole = { ...facts, 'X-Shape': '2,3', 'X-Model': 'm', 'X-Model-Exact': 'true' };
  const headless = await failure({ baseUrl: rawAnswer(facts, 24), binary: true });
  expect(headless.message).toContain('no X-Shape header');
  const cut = await failure({ baseUrl: rawAnswer(whole, 20), binary: true });
  expect(cut.message).toContain('20 bytes for float32 [2, 3]');
  const odd = { ...whole, 'X-Shape': 'x' };
  expect(await failure({ baseUrl: rawAnswer(odd, 24), binary: true })).toBeInstanceOf(ApiError);
  const right = { baseUrl: rawAnswer(whole, 24), binary: true } as const;
  expect((await predictMetricDepth({}, right)).data).toEqual(new Float32Array(6));
});

test("wrong options are the caller's fault, not a broken connection", async () => {
  for (const baseUrl of ['localhost:8000', 'ftp://host', 'nonsense', '']) {
    expect(await failure({ baseUrl })).toBeInstanceOf(TypeError);
  }
  const key = await failure({ baseUrl: 'http://127.0.0.1:1', apiKey: 'two\nlines' });
  expect(key).not.toBeInstanceOf(NoAnswerError);
});

test('stages are read in order; what has no duration is left out', () => {
  const header = 'decode;dur=8.10, miss, cache;desc="hit";dur=0.2, infer; DUR=12';
  expect(serverStages(new Headers({ 'Server-Timing': header }))).toEqual([
    { name: 'decode', milliseconds: 8.1 },
    { name: 'cache', milliseconds: 0.2 },
    { name: 'infer', milliseconds: 12 },
  ]);
  expect(serverStages(new Headers())).toEqual([]);
});
