/**
 * Proves that guardedFetch reads what it may, connects to the address that it checked, and stops
 * whatever doesn't behave. What it may not reach at all is in fetch_inward.test.ts.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { guardedFetch } from './fetch.ts';
import {
  failure,
  fetchExempt,
  LIMITS,
  LOOPBACK,
  PICTURE,
  seen,
  startRawServer,
  startServer,
  until,
} from './fetch_fixture.ts';
import { decodeImage } from './image.ts';

let server: ReturnType<typeof startServer>;
let rawServer: Awaited<ReturnType<typeof startRawServer>>;
beforeAll(async () => {
  server = startServer();
  rawServer = await startRawServer();
});
afterAll(async () => {
  rawServer.stop();
  await server.stop(true);
});

const at = (path: string, host = 'images.test') => `http://${host}:${server.port}${path}`;

describe('what may be fetched', () => {
  test('a picture, with the type and the address it came from', async () => {
    const { bytes, contentType, url } = await fetchExempt(at('/picture'));
    expect(bytes).toEqual(PICTURE);
    expect(contentType).toBe('image/jpeg');
    expect(url).toBe(at('/picture'));
  });

  test('a literal address, when private ones are allowed', async () => {
    const { bytes } = await guardedFetch(at('/picture', '127.0.0.1'), {
      ...LIMITS,
      allowPrivate: true,
    });
    expect(bytes).toEqual(PICTURE);
  });

  test('a body of exactly the cap', async () => {
    expect((await fetchExempt(at('/exact'))).bytes.byteLength).toBe(LIMITS.maxBytes);
  });

  test('redirects up to the limit, relative ones too', async () => {
    const twice = `/to?url=${encodeURIComponent('/to?url=/picture')}`;
    const { bytes, url } = await fetchExempt(at(twice), { maxRedirects: 2 });
    expect(bytes).toEqual(PICTURE);
    expect(url).toBe(at('/picture'));
    const error = await failure(fetchExempt(at(twice), { maxRedirects: 1 }));
    expect(error.message).toBe('image_url redirects more than 1 times.');
  });

  test('the Host header is the name, and no compression is asked for', async () => {
    const { bytes } = await fetchExempt(at('/echo'));
    const { host, headers } = JSON.parse(Buffer.from(bytes).toString());
    expect(host).toBe(`images.test:${server.port}`);
    expect(headers).toMatchObject({ 'accept-encoding': 'identity' });
    expect(headers.accept).toStartWith('image/');
  });
});

describe('pinning', () => {
  test('the connection goes to the address that was checked; one look-up a hop', async () => {
    // A name that changes its answer: rebinding. Only the first answer may count.
    const asked: string[] = [];
    const rebinding = async (host: string) => {
      asked.push(host);
      return asked.length === 1 ? ['127.0.0.1'] : ['::1'];
    };
    const { bytes } = await fetchExempt(at('/picture'), { resolve: rebinding });
    expect(bytes).toEqual(PICTURE);
    expect(asked).toEqual(['images.test']);

    // The control: an address where nobody listens is what is then connected to.
    asked.push('again');
    const error = await failure(fetchExempt(at('/picture'), { resolve: rebinding }));
    expect(error.message).toContain('could not be fetched');
  });

  test('every further hop is looked up and checked anew', async () => {
    let calls = 0;
    const resolve = async () => (++calls === 1 ? ['127.0.0.1'] : ['169.254.169.254']);
    const work = guardedFetch(at(`/to?url=${encodeURIComponent(at('/picture', 'inner.test'))}`), {
      ...LIMITS,
      resolve,
      allowPrivate: ['images.test'],
    });
    expect((await failure(work)).message).toContain('inner.test, which is not on the public');
    expect(calls).toBe(2);
  });

  test('a second address is tried when the first refuses', async () => {
    const resolve = async () => ['::1', '127.0.0.1'];
    expect((await fetchExempt(at('/picture'), { resolve })).bytes).toEqual(PICTURE);
  });

  test('proxy variables are not consulted', async () => {
    const proxy = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response('proxy') });
    const script = `
      import { guardedFetch } from ${JSON.stringify(`${import.meta.dir}/fetch.ts`)};
      const { bytes } = await guardedFetch(${JSON.stringify(at('/picture'))}, {
        maxBytes: 1e5, timeoutMs: 5000, maxRedirects: 0, allowPrivate: true,
        resolve: async () => ['127.0.0.1'] });
      console.log(Buffer.from(bytes).toString('hex'));`;
    const url = `http://127.0.0.1:${proxy.port}`;
    const child = Bun.spawn([process.execPath, '-e', script], {
      env: { ...process.env, HTTP_PROXY: url, http_proxy: url, ALL_PROXY: url, NO_PROXY: '' },
    });
    expect((await new Response(child.stdout).text()).trim()).toBe(PICTURE.toHex());
    await proxy.stop(true);
  });
});

describe('answers that are refused', () => {
  test.each([[400], [401], [404], [500], [304], [300]])('%p', async (status) => {
    const error = await failure(fetchExempt(at(`/${status}`)));
    expect(error).toMatchObject({ status: 422, field: 'image_url' });
    expect(error.message).toContain(`answered ${status}; expected 200`);
    expect(error.message).not.toContain('secret');
  });

  test('a body that declares too many bytes, before it is read', async () => {
    const error = await failure(fetchExempt(at('/large')));
    expect(error).toMatchObject({ status: 413 });
    expect(error.message).toContain('declares 100001 bytes; at most 100000');
  });

  test('a body without end, fast: stopped at the cap and closed', async () => {
    const error = await failure(fetchExempt(at('/flood')));
    expect(error).toMatchObject({ status: 413 });
    expect(error.message).toContain('sent more than 100000 bytes');
    await until(() => seen.openStreams === 0);
  });

  test('a body without end, slow: stopped at the deadline and closed', async () => {
    const error = await failure(fetchExempt(at('/drip'), { timeoutMs: 150 }));
    expect(error).toMatchObject({
      status: 422,
      message: 'image_url did not arrive within 150 ms.',
    });
    await until(() => seen.openStreams === 0);
  });

  test('no answer; no answer from the resolver; redirects without end', async () => {
    const late = 'image_url did not arrive within 100 ms.';
    const silent = fetchExempt(at('/silent'), { timeoutMs: 100 });
    expect((await failure(silent)).message).toBe(late);
    const unresolved = fetchExempt(at('/'), {
      timeoutMs: 100,
      resolve: () => new Promise(() => {}),
    });
    expect((await failure(unresolved)).message).toBe(late);
    expect((await failure(fetchExempt(at('/loop')))).message).toContain('more than 3 times');
  });

  test('compressed content that was not asked for', async () => {
    expect((await failure(fetchExempt(at('/zipped')))).message).toContain('Content-Encoding gzip');
  });

  test('a host that does not exist; a port where nobody listens', async () => {
    const missing = fetchExempt(at('/'), { resolve: () => Promise.reject(new Error('ENOTFOUND')) });
    expect((await failure(missing)).message).toContain('the host images.test was not found');
    const resolve = async () => ['::1'];
    const error = await failure(fetchExempt(at('/picture'), { resolve }));
    expect(error.message).toContain('could not be fetched (E');
    expect(error.message).not.toContain('::1');
  });

  test.each([
    ['HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort'],
    ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\nshort'],
    ['SSH-2.0-OpenSSH_9.6\r\n'],
    [''],
  ])('malformed HTTP %p', async (text) => {
    const work = guardedFetch(`http://images.test:${rawServer.port}/${encodeURIComponent(text)}`, {
      ...LIMITS,
      allowPrivate: true,
      resolve: LOOPBACK,
    });
    const error = await failure(work);
    expect(error.message).toContain('could not be fetched');
    expect(error.message).not.toContain('SSH');
  });

  test('what is not an image is fetched, but not decoded, and not quoted', async () => {
    const { bytes } = await fetchExempt(at('/200'));
    const limits = { maxPixels: 1e6, maxBytes: 1e6, field: 'image_url' };
    const error = await failure(decodeImage(bytes, limits));
    expect(error).toMatchObject({ status: 422, field: 'image_url' });
    expect(error.message).toStartWith('image_url is 13 bytes of an unknown type; expected a JPEG');
  });

  test('the next fetch works', async () => {
    expect((await fetchExempt(at('/picture'))).bytes).toEqual(PICTURE);
  });
});

describe('cancellation', () => {
  test('the reason of the signal is thrown, and the connection closed', async () => {
    const stop = new AbortController();
    const work = fetchExempt(at('/drip'), { signal: stop.signal });
    await until(() => seen.openStreams === 1);
    const reason = new Error('the client left');
    stop.abort(reason);
    expect(await work.catch((cause) => cause)).toBe(reason);
    await until(() => seen.openStreams === 0);
  });

  test('a signal that is aborted already', async () => {
    seen.paths = [];
    const signal = AbortSignal.abort('too late');
    expect(await fetchExempt(at('/picture'), { signal }).catch((cause) => cause)).toBe('too late');
    expect(seen.paths).toEqual([]);
  });
});
