import { afterAll, beforeAll, expect, test } from 'bun:test';
import { join } from 'node:path';
import { type TestServer, testServer } from '../../test/server.ts';

const FIXTURE = join(import.meta.dir, '../../test/fixtures/segment-parity');

let server: TestServer;
let image: string;

beforeAll(async () => {
  server = await testServer({ sam3Checkpoint: FIXTURE });
  image = Buffer.from(await Bun.file(join(FIXTURE, 'photo.png')).bytes()).toString('base64');
});
afterAll(() => server.close());

/** Samples by name with labels, once what was answered has been counted. */
async function scrape(): Promise<Map<string, number>> {
  // An answer is counted after it has been given.
  await Bun.sleep(20);
  const response = await server.handle(new Request('http://localhost/metrics'));
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toStartWith('text/plain; version=0.0.4');
  const samples = (await response.text()).split('\n').filter((line) => /^\w/.test(line));
  return new Map(
    samples.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

test('the four documented names are there, with figures', async () => {
  const samples = await scrape();
  expect(samples.get('sam3_gpu_memory_allocated_bytes{gpu="0"}')).toBe(0);
  expect(samples.get('sam3_gpu_memory_reserved_bytes{gpu="0"}')).toBe(0);
  for (const name of ['sam3_cpu_usage_percent', 'sam3_memory_usage_percent']) {
    expect(samples.get(name)).toBeWithin(1e-6, 100.001);
  }
});

test('every line is one that Prometheus reads, and every family has its help and type', async () => {
  const response = await server.handle(new Request('http://localhost/metrics'));
  const text = await response.text();
  const families = new Set([...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name));
  for (const line of text.split('\n').filter((one) => one !== '')) {
    expect(line).toMatch(
      /^(# (HELP|TYPE) \w+ .+|[a-z_]\w*(\{\w+="[^"\\]*"(,\w+="[^"\\]*")*\})? (-?[\d.e+-]+|\+Inf|NaN))$/i,
    );
    const name = /^[a-z]\w*/.exec(line)?.[0].replace(/_(bucket|sum|count)$/, '');
    if (name) expect(families.has(name)).toBe(true);
  }
});

test('hits and misses of the feature cache are counted', async () => {
  const before = await scrape();
  const body = { image, text_prompts: ['a'] };
  for (let i = 0; i < 3; i++) await server.post('/api/v1/image/cached-features', body);
  const after = await scrape();
  const growth = (name: string) => (after.get(name) ?? Number.NaN) - (before.get(name) ?? 0);
  expect(growth('triptych_feature_cache_misses_total')).toBe(1);
  expect(growth('triptych_feature_cache_hits_total')).toBe(2);
  expect(growth('triptych_feature_cache_entries')).toBe(1);
  expect(growth('triptych_feature_cache_bytes')).toBeGreaterThan(1000);
  expect(after.get('triptych_engines_ready')).toBe(1);
  expect(after.get('triptych_queue_length')).toBe(0);
});

test('requests are counted by route, status and stage', async () => {
  const before = await scrape();
  await server.post('/metric_depth', { image, model_input_size: 28 });
  await server.post('/metric_depth', { image: 'no' });
  await server.handle(new Request('http://localhost/no/such/path'));
  const after = await scrape();
  const growth = (name: string) => (after.get(name) ?? Number.NaN) - (before.get(name) ?? 0);
  const count = (method: string, route: string, status: string) =>
    growth(
      `triptych_http_request_duration_seconds_count{method="${method}",route="${route}",status="${status}"}`,
    );
  expect(count('POST', '/metric_depth', '200')).toBe(1);
  expect(count('POST', '/metric_depth', '422')).toBe(1);
  for (const stage of ['decode', 'queue', 'infer', 'encode']) {
    const name = `triptych_stage_duration_seconds_count{route="/metric_depth",stage="${stage}"}`;
    expect(growth(name)).toBe(1);
  }
  // What a client makes up is no label.
  expect([...after.keys()].filter((name) => /no\/such/.test(name))).toEqual([]);
  expect(count('GET', 'unmatched', '404')).toBe(1);
});
