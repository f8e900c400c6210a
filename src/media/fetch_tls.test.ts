/**
 * Proves that pinning the address leaves TLS whole: the server name and the certificate check are
 * those of the URL's host. The certificate is made here, so that it never expires.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { generateKeyPairSync, sign } from 'node:crypto';
import { type FetchOptions, guardedFetch } from './fetch.ts';

const HOST = 'pinned.test';

/** One DER element: tag, length, content. */
function der(tag: number, ...content: (Uint8Array | string)[]): Buffer {
  const body = Buffer.concat(content.map((part) => Buffer.from(part)));
  const { length } = body;
  const long = length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...(length < 128 ? [length] : long)]), body]);
}

const sequence = (...parts: (Uint8Array | string)[]) => der(0x30, ...parts);
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const utcTime = (year: number) => der(0x17, `${String(year % 100).padStart(2, '0')}0101000000Z`);

/** A self-signed X.509 v3 certificate (RFC 5280) over an EC P-256 key, valid for a decade. */
function selfSigned(host: string): { key: string; cert: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
  const name = sequence(der(0x31, sequence(oid('550403'), der(0x0c, host))));
  const year = new Date().getFullYear();
  const altName = sequence(oid('551d11'), der(0x04, sequence(der(0x82, host))));
  const toSign = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    ecdsaWithSha256,
    name,
    sequence(utcTime(year - 1), utcTime(year + 9)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(altName)),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', toSign, privateKey));
  const base64 = sequence(toSign, ecdsaWithSha256, signature).toString('base64');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
  };
}

const { key, cert } = selfSigned(HOST);
let server: ReturnType<typeof Bun.serve>;
beforeAll(() => {
  server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls: { key, cert, serverName: HOST },
    fetch: (request) => new Response(request.headers.get('host')),
  });
});
afterAll(() => server.stop(true));

const ask = (host: string, options: Partial<FetchOptions> = {}) =>
  guardedFetch(`https://${host}:${server.port}/`, {
    maxBytes: 1_000,
    timeoutMs: 5_000,
    maxRedirects: 0,
    allowPrivate: true,
    resolve: async () => ['127.0.0.1'],
    ...options,
  });

test('the certificate of the named host is accepted at the pinned address', async () => {
  const { bytes } = await ask(HOST, { ca: cert });
  expect(Buffer.from(bytes).toString()).toBe(`${HOST}:${server.port}`);
});

test('a certificate for another name is refused', async () => {
  const error = await ask('other.test', { ca: cert }).catch((cause) => cause);
  expect(error.status).toBe(422);
  expect(error.message).toContain('could not be fetched (ERR_TLS_CERT_ALTNAME_INVALID)');
});

test('a certificate that nobody vouches for is refused', async () => {
  const error = await ask(HOST).catch((cause) => cause);
  expect(error.status).toBe(422);
  expect(error.message).toContain('SELF_SIGNED_CERT');
});
