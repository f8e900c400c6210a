import { expect, test } from 'bun:test';
import { readConfig } from '../config.ts';
import { startServer } from '../server.ts';
import { HttpError } from './errors.ts';
import { callerByAddress, RateLimiter } from './rate_limit.ts';

/** How many of `tries` requests at once are let through. */
function allowed(limiter: RateLimiter, caller: string, tries: number): number {
  let count = 0;
  for (let i = 0; i < tries; i++) {
    try {
      limiter.take(caller);
      count++;
    } catch (error) {
      expect(error).toBeInstanceOf(HttpError);
    }
  }
  return count;
}

test('a minute’s requests may come at once, then as fast as the bucket fills', () => {
  let now = 0;
  const limiter = new RateLimiter(60, () => now);
  expect(allowed(limiter, 'a', 100)).toBe(60);
  expect(allowed(limiter, 'b', 10)).toBe(10);
  now = 999;
  expect(allowed(limiter, 'a', 5)).toBe(0);
  now = 1_000;
  expect(allowed(limiter, 'a', 5)).toBe(1);
  now = 11_000;
  expect(allowed(limiter, 'a', 50)).toBe(10);
  now = 3_600_000;
  expect(allowed(limiter, 'a', 100)).toBe(60);
});

test('Retry-After is when there is room again', () => {
  let now = 0;
  const limiter = new RateLimiter(4, () => now);
  expect(allowed(limiter, 'a', 4)).toBe(4);
  const refusal = () => {
    try {
      limiter.take('a');
      return null;
    } catch (error) {
      return error as HttpError;
    }
  };
  expect(refusal()).toMatchObject({ status: 429, headers: { 'Retry-After': '15' } });
  now = 14_999;
  expect(refusal()).toMatchObject({ headers: { 'Retry-After': '1' } });
  now = 15_000;
  expect(refusal()).toBeNull();
});

test('an IPv6 network is one caller, and so is an address however it is written', () => {
  expect(callerByAddress('2001:db8:1:2::1')).toBe(callerByAddress('2001:db8:1:2:ffff::9'));
  expect(callerByAddress('2001:db8:1:2::1')).not.toBe(callerByAddress('2001:db8:1:3::1'));
  expect(callerByAddress('::ffff:10.0.0.1')).toBe('10.0.0.1');
  expect(callerByAddress('10.0.0.2')).not.toBe('10.0.0.1');
  expect(callerByAddress(undefined)).toBe('unknown');
});

async function limited(flags: Record<string, string>) {
  const server = await startServer(
    readConfig(
      { device: 'cpu', threads: '1', host: '127.0.0.1', port: '0', ...flags },
      { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_REQUESTS_PER_MINUTE: '3' },
    ),
  );
  const ask = (path: string, authorization?: string) =>
    fetch(new URL(path, server.url), { headers: authorization ? { authorization } : {} });
  const post = (authorization?: string) =>
    fetch(new URL('metric_depth', server.url), {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
    });
  return { server, ask, post };
}

test('on a server: 429 with a detail, by address; /health is open to all', async () => {
  const { server, ask, post } = await limited({});
  const statuses = [];
  for (let i = 0; i < 4; i++) statuses.push((await post()).status);
  expect(statuses).toEqual([422, 422, 422, 429]);
  const refused = await ask('metrics');
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeWithin(1, 21);
  expect(await refused.json()).toEqual({ detail: expect.stringContaining('3 requests a minute') });
  expect((await ask('health')).status).toBe(200);
  await server.stop();
});

test('on a server with keys: by key, however it is written; guesses by address', async () => {
  const { server, ask, post } = await limited({ apiKey: 'first,second' });
  for (const authorization of ['Bearer first', 'bearer first', 'BEARER  first']) {
    expect((await ask('metrics', authorization)).status).toBe(200);
  }
  expect((await post('bEARER first')).status).toBe(429);
  expect((await ask('metrics', 'Bearer second')).status).toBe(200);
  const guesses = [];
  for (let i = 0; i < 4; i++) guesses.push((await post(`Bearer guess-${i}`)).status);
  expect(guesses).toEqual([401, 401, 401, 429]);
  await server.stop();
});
