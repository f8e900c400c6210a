import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noise } from './onnx_fixture.ts';
import { answerStatus, dropAfter, RangeHost, redirectTo } from './range_host.ts';
import type { RemoteSettings } from './remote.ts';
import { type Transfer, transferFile } from './transfer.ts';

const BYTES = noise(300_000);
const OTHER = noise(300_000, 7);
const HASH = sha256(BYTES);

let host: RangeHost;
let folder: string;
let target: string;

beforeEach(async () => {
  host = await new RangeHost(BYTES).start();
  folder = await mkdtemp(join(tmpdir(), 'triptych-transfer-'));
  target = join(folder, 'model.bin');
});

afterEach(async () => {
  await host.stop();
  await rm(folder, { recursive: true, force: true });
});

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function transfer(changes: Partial<Transfer> = {}): Transfer {
  const url = new URL('/model.bin', host.origin());
  const settings: RemoteSettings = { hfEndpoint: host.origin(), offline: false };
  return {
    url,
    target,
    settings,
    file: { url: url.href, path: 'model.bin', sha256: HASH, bytes: BYTES.byteLength },
    retry: { attempts: 4, firstDelayMs: 5, longestDelayMs: 20, longestRetryAfterMs: 2_000 },
    idleTimeoutMs: 5_000,
    ...changes,
  };
}

/** The file as the catalogue has it where no public hash or exact size is known. */
function unpinned(): Transfer['file'] {
  return { url: `${host.origin()}/model.bin`, path: 'model.bin' };
}

async function expectWhole(expected = BYTES): Promise<void> {
  expect(sha256(await readFile(target))).toBe(sha256(expected));
  expect(existsSync(`${target}.part`)).toBe(false);
  expect(existsSync(`${target}.part.json`)).toBe(false);
}

function ranges(): (string | undefined)[] {
  return host.seen.map(({ headers }) => headers.range);
}

describe('a good server', () => {
  test('gives the file, its hash and its size, in one request', async () => {
    const progress: number[] = [];
    const done = await transferFile(transfer({ onProgress: (bytes) => progress.push(bytes) }));
    expect(done).toEqual({ bytes: BYTES.byteLength, sha256: HASH, hashOrigin: 'pinned' });
    await expectWhole();
    expect(ranges()).toEqual([undefined]);
    expect(progress.at(-1)).toBe(BYTES.byteLength);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
  });

  test('without a pinned hash, what came is recorded', async () => {
    const done = await transferFile(transfer({ file: unpinned() }));
    expect(done).toEqual({ bytes: BYTES.byteLength, sha256: HASH, hashOrigin: 'recorded' });
  });

  test('a hash named in x-linked-etag is held against the bytes', async () => {
    host.extraHeaders = { 'x-linked-etag': `"${HASH}"` };
    const done = await transferFile(transfer({ file: unpinned() }));
    expect(done.hashOrigin).toBe('announced');
    host.extraHeaders = { 'x-linked-etag': `"${sha256(OTHER)}"` };
    await expect(transferFile(transfer({ file: unpinned() }))).rejects.toMatchObject({
      code: 'checksum',
    });
  });

  test('an empty file is a file', async () => {
    host.bytes = new Uint8Array(0);
    const done = await transferFile(transfer({ file: unpinned() }));
    expect(done.bytes).toBe(0);
    await expectWhole(new Uint8Array(0));
  });
});

describe('dropped connections', () => {
  test('are resumed with Range and If-Range where the bytes stopped', async () => {
    host.script.push(dropAfter(100_000), dropAfter(50_000));
    const reasons: string[] = [];
    await transferFile(transfer({ onRetry: (reason) => reasons.push(reason) }));
    await expectWhole();
    expect(ranges()).toEqual([undefined, 'bytes=100000-', 'bytes=150000-']);
    expect(host.seen[1].headers['if-range']).toBe('"one"');
    expect(reasons).toHaveLength(2);
  });

  test('give up after the allowed failures in a row, keep the part, and a new run goes on', async () => {
    host.script.push(dropAfter(120_000), dropAfter(0), dropAfter(0), dropAfter(0));
    await expect(transferFile(transfer())).rejects.toMatchObject({ code: 'network' });
    expect((await readFile(`${target}.part`)).byteLength).toBe(120_000);
    await transferFile(transfer());
    await expectWhole();
    expect(ranges().at(-1)).toBe('bytes=120000-');
  });

  test('before any answer are tried again', async () => {
    host.script.push((request) => request.socket.destroy());
    await transferFile(transfer());
    await expectWhole();
  });

  test('a server that is not there ends as a network error', async () => {
    const wanted = transfer();
    await host.stop();
    await expect(transferFile(wanted)).rejects.toMatchObject({ code: 'network' });
    host = await new RangeHost(BYTES).start();
  });

  test('a body that ends early without a declared length is noticed by its size', async () => {
    host.script.push((_request, response) => {
      response.writeHead(200, { connection: 'close', etag: '"one"' });
      response.end(BYTES.subarray(0, 1000));
    });
    await transferFile(transfer());
    await expectWhole();
    expect(ranges()).toEqual([undefined, 'bytes=1000-']);
  });

  test('a connection on which nothing comes is dropped and resumed', async () => {
    host.script.push((_request, response) => {
      response.writeHead(200, { 'content-length': BYTES.byteLength, etag: '"one"' });
      response.write(BYTES.subarray(0, 70_000));
    });
    await transferFile(transfer({ idleTimeoutMs: 200 }));
    await expectWhole();
    expect(ranges()).toEqual([undefined, 'bytes=70000-']);
  });

  test('a server that never ends the response after the last byte is not waited for', async () => {
    host.script.push((_request, response) => {
      response.writeHead(200, { etag: '"one"' });
      response.write(BYTES);
    });
    await transferFile(transfer({ idleTimeoutMs: 60_000 }));
    await expectWhole();
    expect(host.seen).toHaveLength(1);
  });

  test('the same without any known size ends through 416', async () => {
    host.script.push((_request, response) => {
      response.writeHead(200, { etag: '"one"' });
      response.write(BYTES);
    });
    await transferFile(transfer({ file: unpinned(), idleTimeoutMs: 200 }));
    await expectWhole();
    expect(ranges()).toEqual([undefined, `bytes=${BYTES.byteLength}-`]);
  });
});

describe('a file that changes between attempts', () => {
  test('a server that honours If-Range sends all of the new file', async () => {
    host.script.push(dropAfter(100_000));
    const change = { onRetry: () => Object.assign(host, { bytes: OTHER, etag: '"two"' }) };
    const done = await transferFile(transfer({ file: unpinned(), ...change }));
    expect(done.sha256).toBe(sha256(OTHER));
    await expectWhole(OTHER);
  });

  test('one that ignores If-Range is caught by the other ETag', async () => {
    host.script.push(dropAfter(100_000), dropAfter(200_000));
    const change = { onRetry: () => Object.assign(host, { bytes: OTHER, etag: '"two"' }) };
    const done = await transferFile(transfer({ file: unpinned(), ...change }));
    expect(done.sha256).toBe(sha256(OTHER));
    expect(ranges()).toEqual([undefined, 'bytes=100000-', undefined]);
  });

  test('without any validator the bytes are not joined', async () => {
    host.etag = undefined;
    await writeFile(`${target}.part`, OTHER.subarray(0, 100_000));
    await transferFile(transfer({ file: unpinned() }));
    await expectWhole();
    expect(ranges()).toEqual([undefined]);
  });

  test('a part of another file is found out by the pinned hash and fetched anew, once', async () => {
    await writeFile(`${target}.part`, OTHER.subarray(0, 100_000));
    await transferFile(transfer());
    await expectWhole();
    expect(ranges()).toEqual(['bytes=100000-', undefined]);
  });
});

describe('wrong bytes', () => {
  test('are removed, and the error names both hashes', async () => {
    host.bytes = OTHER;
    const failure = transferFile(transfer());
    await expect(failure).rejects.toMatchObject({ code: 'checksum' });
    await expect(failure).rejects.toThrow(sha256(OTHER));
    await expect(failure).rejects.toThrow(HASH);
    expect(existsSync(target)).toBe(false);
    expect(existsSync(`${target}.part`)).toBe(false);
    expect(host.seen).toHaveLength(1);
  });

  test('control: one flipped bit is enough to fail, and without it the same run passes', async () => {
    host.bytes = BYTES.slice();
    host.bytes[299_999] ^= 1;
    await expect(transferFile(transfer())).rejects.toMatchObject({ code: 'checksum' });
    host.bytes[299_999] ^= 1;
    await transferFile(transfer());
    await expectWhole();
  });

  test('a file of another size is refused before a byte is written, and keeps the part', async () => {
    host.script.push(dropAfter(100_000), answerStatus(200, { 'content-length': '10' }));
    await expect(transferFile(transfer())).rejects.toThrow('offers 10 bytes, expected 300000');
    expect((await readFile(`${target}.part`)).byteLength).toBe(100_000);
  });

  test("a login page in the file's place is refused, and keeps the part", async () => {
    host.script.push(dropAfter(100_000), answerStatus(200, { 'content-type': 'text/html' }));
    await expect(transferFile(transfer())).rejects.toThrow('a web page');
    expect((await readFile(`${target}.part`)).byteLength).toBe(100_000);
  });

  test('more bytes than there should be are refused', async () => {
    host.script.push((_request, response) => {
      response.writeHead(200, {});
      response.write(BYTES);
      response.end(BYTES);
    });
    const file = { ...unpinned(), bytes: BYTES.byteLength - 1 };
    await expect(transferFile(transfer({ file }))).rejects.toMatchObject({ code: 'checksum' });
  });
});

describe('statuses', () => {
  test('401 and 403 say that the repository is gated and name HF_TOKEN', async () => {
    for (const status of [401, 403]) {
      host.script.push(answerStatus(status));
      const failure = transferFile(transfer());
      await expect(failure).rejects.toMatchObject({ code: 'gated' });
      await expect(failure).rejects.toThrow('HF_TOKEN');
    }
    expect(host.seen).toHaveLength(2);
  });

  test('404 is final', async () => {
    host.script.push(answerStatus(404));
    await expect(transferFile(transfer())).rejects.toMatchObject({ code: 'not-found' });
    expect(host.seen).toHaveLength(1);
  });

  test('an odd status is final and is named', async () => {
    host.script.push(answerStatus(418));
    await expect(transferFile(transfer())).rejects.toThrow('418');
  });

  test('500, 503 and 429 are tried again', async () => {
    host.script.push(answerStatus(500), answerStatus(503), answerStatus(429));
    await transferFile(transfer());
    await expectWhole();
    expect(host.seen).toHaveLength(4);
  });

  test('Retry-After decides the wait', async () => {
    host.script.push(answerStatus(429, { 'retry-after': '1' }));
    const delays: number[] = [];
    await transferFile(transfer({ onRetry: (_reason, delay) => delays.push(delay) }));
    expect(delays).toEqual([1000]);
  });

  test('a Retry-After of hours ends the download and says so', async () => {
    host.script.push(answerStatus(429, { 'retry-after': '7200' }));
    await expect(transferFile(transfer())).rejects.toThrow('7200 s');
  });

  test('416 restarts from zero', async () => {
    host.script.push(dropAfter(100_000), answerStatus(416));
    await transferFile(transfer());
    await expectWhole();
    expect(ranges()).toEqual([undefined, 'bytes=100000-', undefined]);
  });

  test('416 at every turn ends', async () => {
    host.script.push(dropAfter(10), ...Array.from({ length: 10 }, () => answerStatus(416)));
    await expect(transferFile(transfer())).rejects.toMatchObject({ code: 'network' });
  });

  test('a server that ignores Range is read from the start', async () => {
    host.script.push(dropAfter(100_000), (_request, response) => {
      response.writeHead(200, { 'content-length': BYTES.byteLength }).end(BYTES);
    });
    await transferFile(transfer());
    await expectWhole();
  });

  test('a part that is whole already needs no request', async () => {
    await writeFile(`${target}.part`, BYTES);
    await transferFile(transfer());
    await expectWhole();
    expect(host.seen).toEqual([]);
  });
});

describe('redirects and the token', () => {
  const settings = (): RemoteSettings => ({
    hfEndpoint: host.origin(),
    token: 'hf_secret',
    offline: false,
  });

  test('the token stays with its host; another one gets none', async () => {
    const storage = await new RangeHost(BYTES).start();
    host.script.push(redirectTo(`${storage.origin('localhost')}/signed?sig=abc`));
    await transferFile(transfer({ settings: settings() }));
    await expectWhole();
    expect(host.seen[0].headers.authorization).toBe('Bearer hf_secret');
    expect(storage.seen[0].path).toBe('/signed?sig=abc');
    expect(storage.seen[0].headers.authorization).toBeUndefined();
    await storage.stop();
  });

  test('control: a redirect within the host keeps the token, so its absence above is a choice', async () => {
    host.script.push(redirectTo('/elsewhere'));
    await transferFile(transfer({ settings: settings() }));
    expect(host.seen[1].path).toBe('/elsewhere');
    expect(host.seen[1].headers.authorization).toBe('Bearer hf_secret');
  });

  test('a signed address that ran out is asked for again', async () => {
    const storage = await new RangeHost(BYTES).start();
    const location = `${storage.origin()}/signed`;
    storage.script.push(answerStatus(403));
    host.script.push(redirectTo(location), redirectTo(location));
    await transferFile(transfer());
    await expectWhole();
    expect(host.seen).toHaveLength(2);
    await storage.stop();
  });

  test('a loop and a redirect to a file address are refused', async () => {
    host.script.push(...Array.from({ length: 20 }, () => redirectTo('/model.bin')));
    await expect(transferFile(transfer())).rejects.toThrow('redirects');
    host.script.length = 0;
    host.script.push(redirectTo('file:///etc/passwd'));
    await expect(transferFile(transfer())).rejects.toThrow('https address is expected');
  });

  test('signatures in addresses stay out of messages', async () => {
    const location = `${host.origin()}/gone?X-Amz-Signature=topsecret`;
    host.script.push(redirectTo(location), answerStatus(404));
    const error = await transferFile(transfer()).catch((caught: Error) => caught);
    expect((error as Error).message).toContain('/gone');
    expect((error as Error).message).not.toContain('topsecret');
  });
});

describe('proxies', () => {
  test('HTTP_PROXY is used and NO_PROXY goes around it', async () => {
    const proxy = await new RangeHost(BYTES).start();
    const before = { ...process.env };
    try {
      process.env.HTTP_PROXY = process.env.http_proxy = proxy.origin();
      const url = new URL('http://models.invalid/model.bin');
      await transferFile(transfer({ url }));
      await expectWhole();
      expect(proxy.seen.map(({ path }) => path)).toEqual([url.href]);
      process.env.NO_PROXY = process.env.no_proxy = '127.0.0.1';
      await transferFile(transfer());
      expect(proxy.seen).toHaveLength(1);
      expect(host.seen).toHaveLength(1);
    } finally {
      for (const name of ['HTTP_PROXY', 'http_proxy', 'NO_PROXY', 'no_proxy']) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
      await proxy.stop();
    }
  });
});

describe('stopping', () => {
  test('an abort keeps the part and the next run goes on from it', async () => {
    const controller = new AbortController();
    host.script.push((_request, response) => {
      response.writeHead(200, { 'content-length': BYTES.byteLength, etag: '"one"' });
      response.write(BYTES.subarray(0, 90_000));
    });
    const running = transferFile(
      transfer({
        signal: controller.signal,
        onProgress: (bytes) => bytes === 90_000 && controller.abort(new Error('enough')),
      }),
    );
    await expect(running).rejects.toThrow('enough');
    expect((await readFile(`${target}.part`)).byteLength).toBe(90_000);
    await transferFile(transfer());
    await expectWhole();
    expect(ranges()).toEqual([undefined, 'bytes=90000-']);
  });

  test('an abort ends the wait between tries', async () => {
    const controller = new AbortController();
    host.script.push(answerStatus(503, { 'retry-after': '2' }));
    const running = transferFile(
      transfer({ signal: controller.signal, onRetry: () => controller.abort(new Error('enough')) }),
    );
    await expect(running).rejects.toThrow('enough');
    expect(host.seen).toHaveLength(1);
  });

  test('a refusal for lack of room comes before a byte is written', async () => {
    const asked: number[] = [];
    const checkRoom = async (bytes: number) => {
      asked.push(bytes);
      throw new Error('no room');
    };
    await expect(transferFile(transfer({ checkRoom }))).rejects.toThrow('no room');
    expect(asked).toEqual([BYTES.byteLength]);
    expect((await readFile(`${target}.part`)).byteLength).toBe(0);
  });
});
