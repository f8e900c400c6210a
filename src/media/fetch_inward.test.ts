/**
 * Proves that guardedFetch can't be led inward. The server listens on the loopback, so that one
 * path in its log without an exemption would be a hole; each refusal has a control that is let in.
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
  startServer,
} from './fetch_fixture.ts';

let server: ReturnType<typeof startServer>;
beforeAll(() => {
  server = startServer();
});
afterAll(() => server.stop(true));

const at = (path: string, host = 'images.test') => `http://${host}:${server.port}${path}`;

describe('URLs that point inward', () => {
  test.each([
    ['http://127.0.0.1:PORT/picture'],
    ['http://127.1:PORT/picture'],
    ['http://2130706433:PORT/picture'],
    ['http://0x7f000001:PORT/picture'],
    ['http://0177.0.0.1:PORT/picture'],
    ['http://0.0.0.0:PORT/picture'],
    ['http://127.0.0.1.:PORT/picture'],
    ['http://[::1]:PORT/picture'],
    ['http://[::ffff:127.0.0.1]:PORT/picture'],
    ['http://[64:ff9b::7f00:1]:PORT/picture'],
    ['http:\\\\127.0.0.1:PORT\\picture'],
    ['http://169.254.169.254/latest/meta-data/'],
    ['http://10.0.0.1/'],
    ['http://[fd00:ec2::254]/'],
  ])('%p', async (text) => {
    const url = text.replace('PORT', String(server.port));
    seen.paths = [];
    const error = await failure(guardedFetch(url, LIMITS));
    expect(error).toMatchObject({ status: 422, field: 'image_url' });
    expect(error.message).toContain('not on the public internet');
    expect(seen.paths).toEqual([]);
  });

  test('a name with one inward address among public ones', async () => {
    seen.paths = [];
    const resolve = async () => ['93.184.215.14', '127.0.0.1'];
    const error = await failure(guardedFetch(at('/picture'), { ...LIMITS, resolve }));
    expect(error.message).toContain('not on the public internet');
    expect(error.message).not.toContain('127.0.0.1');
    expect(seen.paths).toEqual([]);
  });

  test('localhost, through the system resolver', async () => {
    seen.paths = [];
    await failure(guardedFetch(at('/picture', 'localhost'), LIMITS));
    await failure(guardedFetch(at('/picture', 'localhost.'), LIMITS));
    expect(seen.paths).toEqual([]);
  });

  test('a redirect inward', async () => {
    for (const target of [at('/picture', '127.0.0.1'), at('/picture', 'inner.test'), '//[::1]/']) {
      seen.paths = [];
      const error = await failure(fetchExempt(at(`/to?url=${encodeURIComponent(target)}`)));
      expect(error.message).toContain('not on the public internet');
      expect(seen.paths).toEqual(['/to']);
    }
    // The control: the same redirect to the exempt host is followed.
    const { bytes } = await fetchExempt(at(`/to?url=${encodeURIComponent(at('/picture'))}`));
    expect(bytes).toEqual(PICTURE);
  });

  test.each([
    ['file:///etc/passwd', 'begins with file:'],
    ['ftp://images.test/a.png', 'begins with ftp:'],
    ['data:image/png;base64,AAAA', 'begins with data:'],
    ['http://name:secret@images.test/', 'has a user name or password'],
    ['images.test/a.png', 'does not parse'],
    ['http://', 'does not parse'],
    ['', 'does not parse'],
  ])('%p', async (url, why) => {
    const options = { ...LIMITS, allowPrivate: true, resolve: LOOPBACK };
    const error = await failure(guardedFetch(url, options));
    expect(error.status).toBe(422);
    expect(error.message).toContain(why);
    expect(error.message).not.toContain('secret');
    const hop = fetchExempt(at(`/to?url=${encodeURIComponent(url)}`), { maxRedirects: 1 });
    // Relative text is a fine redirect; the rest is as wrong there as here.
    if (why.startsWith('begins') || why.startsWith('has')) {
      expect((await failure(hop)).message).toContain(`redirects to a URL that ${why}`);
    } else await failure(hop);
  });

  test('allowHosts', async () => {
    const ask = (allowHosts: string[]) => fetchExempt(at('/picture'), { allowHosts });
    expect((await ask(['images.test'])).bytes).toEqual(PICTURE);
    expect((await ask(['other.test', '*.Test'])).bytes).toEqual(PICTURE);
    for (const hosts of [[], ['other.test'], ['ages.test'], ['*.images.test']]) {
      expect((await failure(ask(hosts))).message).toContain('not among the hosts');
    }
  });
});
