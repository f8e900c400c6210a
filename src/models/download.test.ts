import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CATALOGUE } from './catalogue.ts';
import { type PullOptions, pull } from './download.ts';
import type { DepthEntry } from './entry.ts';
import { withLock } from './lock.ts';
import { encodeDepthModel, encodeOnnx, noise } from './onnx_fixture.ts';
import { answerStatus, dropAfter, RangeHost } from './range_host.ts';
import { removeModel } from './remove.ts';
import { lockPath, type ModelStore, modelState, openStore } from './store.ts';
import { verifyModel } from './verify.ts';

const GRAPH = encodeDepthModel({ padding: 200_000 });
const HASH = sha256(GRAPH);

let host: RangeHost;
let folder: string;
let store: ModelStore;
let entry: DepthEntry;

beforeEach(async () => {
  host = await new RangeHost(GRAPH).start();
  folder = await mkdtemp(join(tmpdir(), 'triptych-pull-'));
  entry = {
    id: 'tiny',
    family: 'depth',
    title: 'Tiny',
    encoder: 'vits',
    dataset: 'hypersim',
    kind: 'metric',
    maxDepth: 20,
    precision: 'fp32',
    licence: {
      spdx: 'Apache-2.0',
      nonCommercial: false,
      gated: false,
      url: 'https://licence.test',
    },
    notes: '',
    files: [
      { url: `${host.origin()}/tiny.onnx`, path: 'tiny.onnx', sha256: HASH, bytes: GRAPH.length },
    ],
  };
  store = openStore({ root: join(folder, 'models'), catalogue: [entry] });
});

afterEach(async () => {
  await host.stop();
  await rm(folder, { recursive: true, force: true });
});

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function options(changes: Partial<PullOptions> = {}): PullOptions {
  return {
    settings: { hfEndpoint: host.origin(), offline: false },
    retry: { attempts: 3, firstDelayMs: 5, longestDelayMs: 20 },
    ...changes,
  };
}

function unpinned(): DepthEntry {
  return { ...entry, files: [{ url: entry.files[0].url, path: 'tiny.onnx' }] };
}

function installed(path = 'tiny.onnx'): string {
  return join(store.root, 'tiny', path);
}

describe('pull', () => {
  test('installs the file and a manifest, and verify agrees', async () => {
    const result = await pull(entry, store, options());
    expect(result).toMatchObject({
      outcome: 'installed',
      files: [{ sha256: HASH, hashOrigin: 'pinned' }],
    });
    expect(modelState(store, entry)).toEqual({ state: 'installed', bytes: GRAPH.length });
    const verdict = await verifyModel(store, entry);
    expect(verdict.ok).toBe(true);
    expect(verdict.files.map(({ detail }) => detail)).toEqual([
      'SHA-256 as pinned in the catalogue',
      'depth-anything-onnx metric depth',
    ]);
    expect((await readdir(store.root)).sort()).toEqual(['tiny']);
    expect((await readdir(join(store.root, 'tiny'))).sort()).toEqual([
      'manifest.json',
      'tiny.onnx',
    ]);
  });

  test('a second pull asks for nothing, unless forced', async () => {
    await pull(entry, store, options());
    expect((await pull(entry, store, options())).outcome).toBe('already-installed');
    expect(host.seen).toHaveLength(1);
    await pull(entry, store, options({ force: true }));
    expect(host.seen).toHaveLength(2);
  });

  test('what was cut off is a partial model, and the next pull goes on', async () => {
    host.script.push(dropAfter(50_000), answerStatus(500), answerStatus(500));
    await expect(pull(entry, store, options())).rejects.toMatchObject({ code: 'network' });
    expect(modelState(store, entry)).toEqual({ state: 'partial', received: 50_000 });
    await pull(entry, store, options());
    expect(host.seen.at(-1)?.headers.range).toBe('bytes=50000-');
    expect((await verifyModel(store, entry)).ok).toBe(true);
  });

  test('verify says what was not pinned, and finds one changed byte', async () => {
    entry = unpinned();
    await pull(entry, store, options());
    const before = await verifyModel(store, entry);
    expect(before.files[0].detail).toBe('SHA-256 as recorded on first download, not pinned');
    const bytes = await readFile(installed());
    bytes[bytes.length - 40] ^= 1;
    await writeFile(installed(), bytes);
    const after = await verifyModel(store, entry);
    expect(after.ok).toBe(false);
    expect(after.files[0].detail).toContain(HASH);
  });

  test('a pin that the catalogue gained since is what verify goes by', async () => {
    await pull(unpinned(), store, options());
    expect((await verifyModel(store, entry)).files[0].hashOrigin).toBe('pinned');
    const other = { ...entry.files[0], sha256: 'a'.repeat(64) };
    expect((await verifyModel(store, { ...entry, files: [other] })).ok).toBe(false);
  });

  test('a damaged file is seen, and pulling again repairs it', async () => {
    await pull(entry, store, options());
    await writeFile(installed(), GRAPH.subarray(0, 100));
    expect(modelState(store, entry)).toMatchObject({ state: 'damaged' });
    await pull(entry, store, options());
    expect((await verifyModel(store, entry)).ok).toBe(true);
    await rm(installed());
    expect(modelState(store, entry)).toMatchObject({ state: 'damaged' });
    await pull(entry, store, options());
    expect(modelState(store, entry).state).toBe('installed');
  });
});

describe('a graph that is not what the entry says', () => {
  async function refused(bytes: Uint8Array, wanted: string): Promise<void> {
    host.bytes = bytes;
    entry = unpinned();
    await expect(pull(entry, store, options())).rejects.toThrow(wanted);
    expect(existsSync(installed())).toBe(false);
    expect(modelState(store, entry).state).toBe('absent');
  }

  test('is removed: no ONNX at all', () => refused(noise(5000), 'not an ONNX model'));

  test('is removed: cut short by its server', () =>
    refused(GRAPH.subarray(0, 100_000), 'not an ONNX model'));

  test('is removed: of another family', () =>
    refused(
      encodeOnnx({ inputs: [{ name: 'x', dims: [1] }], outputs: [{ name: 'y', dims: [1] }] }),
      'no known depth model',
    ));

  test('is removed: with weights in a file that is not there', () =>
    refused(
      encodeOnnx({
        inputs: [{ name: 'image', dims: ['b', 3, 'h', 'w'] }],
        outputs: [{ name: 'depth', dims: ['b', 'h', 'w'] }],
        weights: [{ name: 'w', dims: [4], externalFile: 'tiny.onnx_data' }],
      }),
      'tiny.onnx_data',
    ));

  test('is removed: with weights outside its folder', () =>
    refused(
      encodeOnnx({
        inputs: [{ name: 'image', dims: ['b', 3, 'h', 'w'] }],
        outputs: [{ name: 'depth', dims: ['b', 'h', 'w'] }],
        weights: [{ name: 'w', dims: [4], externalFile: '../../secret' }],
      }),
      '../../secret',
    ));
});

describe('a model of several files', () => {
  const DATA = noise(60_000, 3);
  const GRAPH_WITH_DATA = encodeOnnx({
    inputs: [{ name: 'image', dims: ['b', 3, 'h', 'w'] }],
    outputs: [{ name: 'depth', dims: ['b', 'h', 'w'] }],
    weights: [{ name: 'w', dims: [15_000], externalFile: 'tiny.onnx_data' }],
  });

  beforeEach(() => {
    host.bytes = GRAPH_WITH_DATA;
    const base = host.origin();
    entry = {
      ...entry,
      files: [
        { url: `${base}/tiny.onnx`, path: 'tiny.onnx', sha256: sha256(GRAPH_WITH_DATA) },
        { url: `${base}/data`, path: 'tiny.onnx_data' },
      ],
    };
    store = { ...store, catalogue: [entry] };
  });

  function serveData(): void {
    host.script.push(
      (request, response) => host.serve(request, response),
      (_request, response) => {
        response.writeHead(200, { 'content-length': DATA.length }).end(DATA);
      },
    );
  }

  test('is installed whole', async () => {
    serveData();
    await pull(entry, store, options());
    expect(modelState(store, entry)).toEqual({
      state: 'installed',
      bytes: DATA.length + GRAPH_WITH_DATA.length,
    });
    expect((await verifyModel(store, entry)).ok).toBe(true);
  });

  test('stopped at the second file, does not fetch the first again', async () => {
    host.script.push((request, response) => host.serve(request, response), answerStatus(404));
    await expect(pull(entry, store, options())).rejects.toMatchObject({ code: 'not-found' });
    expect(modelState(store, entry).state).toBe('partial');
    host.seen.length = 0;
    host.bytes = DATA;
    await pull(entry, store, options());
    expect(host.seen.map(({ path }) => path)).toEqual(['/data']);
    expect((await verifyModel(store, entry)).ok).toBe(true);
  });
});

describe('before anything is fetched', () => {
  test('a non-commercial or gated licence must be accepted', async () => {
    for (const change of [{ nonCommercial: true }, { gated: true }]) {
      const closed = { ...entry, licence: { ...entry.licence, ...change } };
      await expect(pull(closed, store, options())).rejects.toMatchObject({ code: 'licence' });
    }
    expect(host.seen).toEqual([]);
    const closed = { ...entry, licence: { ...entry.licence, nonCommercial: true } };
    await pull(closed, store, options({ acceptLicence: true }));
    expect(modelState(store, entry).state).toBe('installed');
  });

  test('a full disk is refused, in figures', async () => {
    const freeBytes = async () => 1_000_000;
    const failure = pull(entry, store, options({ freeBytes }));
    await expect(failure).rejects.toMatchObject({ code: 'disk-full' });
    await expect(failure).rejects.toThrow('1.0 MB free');
    expect(host.seen).toEqual([]);
    // Where the size is known only from the answer, the check waits for it and writes nothing.
    const late = { freeBytes: async () => (64 << 20) + 100_000 };
    await expect(pull(unpinned(), store, options(late))).rejects.toMatchObject({
      code: 'disk-full',
    });
    expect(host.seen).toHaveLength(1);
    await pull(unpinned(), store, options({ freeBytes: async () => (64 << 20) + 300_000 }));
  });

  test('offline, only a folder will do', async () => {
    const settings = { hfEndpoint: host.origin(), offline: true };
    await expect(pull(entry, store, options({ settings }))).rejects.toMatchObject({
      code: 'offline',
    });
    await writeFile(join(folder, 'tiny.onnx'), GRAPH);
    await pull(entry, store, options({ settings, from: folder }));
    expect((await pull(entry, store, options({ settings }))).outcome).toBe('already-installed');
    expect(host.seen).toEqual([]);
  });

  test('two pulls of one model do not collide', async () => {
    host.script.push((_request, response) => {
      response.writeHead(200, { 'content-length': GRAPH.length, etag: '"one"' });
      response.write(GRAPH.subarray(0, 1000));
      setTimeout(() => response.end(GRAPH.subarray(1000)), 200);
    });
    const both = await Promise.allSettled([
      pull(entry, store, options()),
      pull(entry, store, options()),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const rejected = both.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
    expect(rejected.reason).toMatchObject({ code: 'locked' });
    expect((await verifyModel(store, entry)).ok).toBe(true);
    await expect(
      withLock(lockPath(store, 'tiny'), 'a test', () => removeModel(store, entry)),
    ).rejects.toMatchObject({ code: 'locked' });
  });

  test('an embedded model needs no pull and cannot be removed', async () => {
    const embedded = CATALOGUE.find(({ id }) => id === 'depth-mini') as DepthEntry;
    expect((await pull(embedded, store, options())).outcome).toBe('embedded');
    await expect(removeModel(store, embedded)).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('mirrors', () => {
  test('HF_ENDPOINT replaces Hugging Face and nothing else', async () => {
    const files = [
      {
        ...entry.files[0],
        url: 'https://huggingface.co/owner/repository/resolve/main/onnx/tiny.onnx',
      },
    ];
    await pull({ ...entry, files }, store, options());
    expect(host.seen[0].path).toBe('/owner/repository/resolve/main/onnx/tiny.onnx');
  });

  test('TRIPTYCH_MODEL_MIRROR replaces every host, in the layout of the store', async () => {
    const settings = {
      hfEndpoint: 'https://huggingface.co',
      mirror: `${host.origin()}/mirror`,
      token: 'hf_secret',
      offline: false,
    };
    const files = [{ ...entry.files[0], url: 'https://github.com/owner/releases/v2/tiny.onnx' }];
    await pull({ ...entry, files }, store, options({ settings }));
    expect(host.seen[0].path).toBe('/mirror/tiny/tiny.onnx');
    expect(host.seen[0].headers.authorization).toBe('Bearer hf_secret');
  });
});

describe('import from a folder', () => {
  async function put(path: string, bytes: Uint8Array): Promise<string> {
    const file = join(folder, 'usb', path);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, bytes);
    return join(folder, 'usb');
  }

  test.each(['tiny/tiny.onnx', 'owner/repository/onnx/tiny.onnx', 'tiny.onnx'])(
    'finds %s',
    async (path) => {
      const url = 'https://huggingface.co/owner/repository/resolve/main/onnx/tiny.onnx';
      const from = await put(path, GRAPH);
      await pull({ ...entry, files: [{ ...entry.files[0], url }] }, store, options({ from }));
      expect((await verifyModel(store, entry)).ok).toBe(true);
      expect(host.seen).toEqual([]);
    },
  );

  test('passes over a namesake of another model', async () => {
    await put('tiny/tiny.onnx', noise(GRAPH.length, 9));
    const from = await put('tiny.onnx', GRAPH);
    await pull(entry, store, options({ from }));
    expect((await verifyModel(store, entry)).ok).toBe(true);
  });

  test('refuses wrong bytes, names both hashes, and leaves the original alone', async () => {
    const wrong = noise(GRAPH.length, 9);
    const from = await put('tiny.onnx', wrong);
    const failure = pull(entry, store, options({ from }));
    await expect(failure).rejects.toThrow(sha256(wrong));
    await expect(failure).rejects.toThrow(HASH);
    expect(existsSync(installed())).toBe(false);
    expect(await readdir(join(store.root, 'tiny'))).toEqual([]);
    expect(sha256(await readFile(join(from, 'tiny.onnx')))).toBe(sha256(wrong));
  });

  test('refuses another size without hashing, rounded sizes to 5 %', async () => {
    const from = await put('tiny.onnx', GRAPH.subarray(1));
    await expect(pull(entry, store, options({ from }))).rejects.toThrow(`expected ${GRAPH.length}`);
    const file = { url: entry.files[0].url, path: 'tiny.onnx', approximateBytes: GRAPH.length * 2 };
    await put('tiny.onnx', GRAPH);
    const about = { ...entry, files: [file] };
    await expect(pull(about, store, options({ from }))).rejects.toThrow('expected about');
    file.approximateBytes = Math.round(GRAPH.length * 1.04);
    await pull(about, store, options({ from }));
  });

  test('says where it looked', async () => {
    const from = join(folder, 'empty');
    const failure = pull(entry, store, options({ from }));
    await expect(failure).rejects.toMatchObject({ code: 'not-found' });
    await expect(failure).rejects.toThrow(join(from, 'tiny', 'tiny.onnx'));
  });

  test('with link, shares the bytes; without, copies them', async () => {
    const from = await put('tiny.onnx', GRAPH);
    await pull(entry, store, options({ from, link: true }));
    const original = await stat(join(from, 'tiny.onnx'));
    expect((await stat(installed())).ino).toBe(original.ino);
    await pull(entry, store, options({ from, force: true }));
    expect((await stat(installed())).ino).not.toBe(original.ino);
    expect((await stat(join(from, 'tiny.onnx'))).size).toBe(GRAPH.length);
  });
});
