import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CatalogueEntry } from './entry.ts';
import { inspectDepthGraph } from './graph_check.ts';
import { addLocalModel } from './local_model.ts';
import { encodeDepthModel, encodeOnnx } from './onnx_fixture.ts';
import { removeModel } from './remove.ts';
import {
  allEntries,
  installedModels,
  type ModelStore,
  modelDirectory,
  modelFilePath,
  modelState,
  openStore,
} from './store.ts';
import { verifyModel } from './verify.ts';

let folder: string;
let store: ModelStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'triptych-store-'));
  store = openStore({ root: join(folder, 'models'), catalogue: [] });
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, bytes: Uint8Array = encodeDepthModel()): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

function entryNamed(id: string): CatalogueEntry {
  return { ...allEntries(openStore({ root: store.root }))[1], id, embedded: undefined };
}

describe('paths', () => {
  const TRAVERSALS = [
    '..',
    '.',
    '',
    '/',
    '../x',
    'a/b',
    'a\\b',
    '/etc',
    'A',
    'a b',
    '.hidden',
    'a\0',
  ];

  test.each(TRAVERSALS)('%j is no model id', (id) => {
    expect(() => modelDirectory(store, id)).toThrow('not a model id');
  });

  test('control: ordinary ids are, and stay direct children', () => {
    for (const id of ['a', 'depth-anything-v2-small-q4f16', 'local-m.1']) {
      expect(modelDirectory(store, id)).toBe(join(store.root, id));
    }
  });

  test.each(['..', '../other', '/etc/passwd', '', 'a/../../b'])(
    '%j is no file of a model',
    (path) => {
      expect(() => modelFilePath(store, 'tiny', path)).toThrow('inside');
    },
  );

  test('remove refuses to leave the store', async () => {
    await writeFile(join(folder, 'precious'), 'x');
    for (const id of TRAVERSALS) {
      await expect(removeModel(store, entryNamed(id))).rejects.toMatchObject({ code: 'usage' });
    }
    expect(existsSync(join(folder, 'precious'))).toBe(true);
  });

  test('removing a folder that is a link removes the link alone', async () => {
    const elsewhere = join(folder, 'elsewhere');
    await mkdir(elsewhere);
    await writeFile(join(elsewhere, 'precious'), 'x');
    await mkdir(store.root);
    await symlink(elsewhere, join(store.root, 'tiny'));
    expect(await removeModel(store, entryNamed('tiny'))).toBe(true);
    expect(existsSync(join(store.root, 'tiny'))).toBe(false);
    expect(existsSync(join(elsewhere, 'precious'))).toBe(true);
  });

  test('removing what is not there says so', async () => {
    expect(await removeModel(store, entryNamed('tiny'))).toBe(false);
  });

  test('TRIPTYCH_HOME decides where the store is', () => {
    const before = process.env.TRIPTYCH_HOME;
    process.env.TRIPTYCH_HOME = folder;
    try {
      expect(openStore().root).toBe(join(folder, 'models'));
    } finally {
      if (before === undefined) delete process.env.TRIPTYCH_HOME;
      else process.env.TRIPTYCH_HOME = before;
    }
  });
});

describe('a file of the user', () => {
  test('is recognised by its name, registered, opened, verified and forgotten', async () => {
    const path = await file('depth_anything_v2_vitb_outdoor_dynamic.onnx');
    const entry = await addLocalModel(store, path);
    expect(entry).toMatchObject({
      id: 'local-depth-anything-v2-vitb-outdoor-dynamic',
      encoder: 'vitb',
      dataset: 'vkitti',
      kind: 'metric',
      maxDepth: 80,
      precision: 'fp32',
      alsoRelative: false,
    });
    expect(installedModels(store)).toEqual([{ entry, origin: 'local', folder, files: [path] }]);
    expect(inspectDepthGraph(path, entry).contract.trainedMaxDepth).toBe(80);
    expect((await verifyModel(store, entry)).ok).toBe(true);
    expect(await removeModel(store, entry)).toBe(true);
    expect(installedModels(store)).toEqual([]);
    expect(existsSync(path)).toBe(true);
  });

  test('what the caller says goes before what the file says', async () => {
    const metadata = { kind: 'metric', max_depth: '20' };
    const path = await file('mine.onnx', encodeDepthModel({ disparity: true, metadata }));
    const traits = { id: 'mine', encoder: 'vits', dataset: 'vkitti' } as const;
    expect(await addLocalModel(store, path, traits)).toMatchObject({
      id: 'mine',
      encoder: 'vits',
      dataset: 'vkitti',
      maxDepth: 80,
      alsoRelative: true,
    });
    const relative = await addLocalModel(store, path, { kind: 'relative' });
    expect(relative).toMatchObject({ id: 'local-mine', kind: 'relative' });
    expect(relative.maxDepth).toBeUndefined();
    expect(relative.dataset).toBeUndefined();
    const odd = await addLocalModel(store, path, { id: 'odd', maxDepth: 7.5 });
    expect(odd.maxDepth).toBe(7.5);
    expect(odd.dataset).toBeUndefined();
  });

  test('half-precision and 4-bit weights are noticed', async () => {
    const io = {
      inputs: [{ name: 'pixel_values', dims: ['b', 3, 'h', 'w'] }],
      outputs: [{ name: 'predicted_depth', dims: ['b', 'h', 'w'] }],
    };
    const weights = [
      { name: 'a', dims: [50], dtype: 10, bytes: new Uint8Array(100) },
      { name: 'b', dims: [2], bytes: new Uint8Array(8) },
    ];
    const nodes = [{ operator: 'MatMulNBits', inputs: ['a'], outputs: ['c'] }];
    const half = await file('half.onnx', encodeOnnx({ ...io, weights }));
    const q4f16 = await file('q4f16.onnx', encodeOnnx({ ...io, weights, nodes }));
    const q4 = await file('q4.onnx', encodeOnnx({ ...io, nodes }));
    expect((await addLocalModel(store, half)).precision).toBe('fp16');
    expect((await addLocalModel(store, q4f16)).precision).toBe('q4f16');
    expect((await addLocalModel(store, q4)).precision).toBe('q4');
  });

  test('weights beside it are registered too, and missed when they are gone', async () => {
    const graph = encodeOnnx({
      inputs: [{ name: 'image', dims: ['b', 3, 'h', 'w'] }],
      outputs: [{ name: 'depth', dims: ['b', 'h', 'w'] }],
      weights: [{ name: 'w', dims: [4], externalFile: 'weights.bin' }],
    });
    const path = await file('split.onnx', graph);
    await expect(addLocalModel(store, path)).rejects.toThrow('weights.bin');
    const weights = await file('weights.bin', new Uint8Array(16));
    const entry = await addLocalModel(store, path);
    expect((await verifyModel(store, entry)).files.map((verdict) => verdict.path)).toEqual([
      'split.onnx',
      'weights.bin',
      'graph',
    ]);
    await rm(weights);
    expect(modelState(store, entry)).toMatchObject({ state: 'damaged' });
    expect(installedModels(store)).toEqual([]);
    expect((await verifyModel(store, entry)).ok).toBe(false);
  });

  test('is refused when it is no depth model, is missing, or takes a name', async () => {
    const other = await file('other.onnx', encodeOnnx({ inputs: [], outputs: [{ name: 'y' }] }));
    await expect(addLocalModel(store, other)).rejects.toMatchObject({ code: 'unknown-graph' });
    await expect(addLocalModel(store, join(folder, 'absent.onnx'))).rejects.toMatchObject({
      code: 'not-found',
    });
    const path = await file('good.onnx');
    const catalogue = openStore().catalogue;
    await expect(
      addLocalModel({ ...store, catalogue }, path, { id: catalogue[1].id }),
    ).rejects.toMatchObject({ code: 'usage' });
    await expect(addLocalModel(store, path, { id: '../up' })).rejects.toMatchObject({
      code: 'usage',
    });
    expect(installedModels(store)).toEqual([]);
  });
});

describe('a store with things in it that do not belong', () => {
  test('does not fall over them', async () => {
    const path = await file('good.onnx');
    const entry = await addLocalModel(store, path);
    await writeFile(join(store.root, 'stray-file'), 'x');
    await mkdir(join(store.root, 'empty'));
    await mkdir(join(store.root, 'Odd Name'));
    await mkdir(join(store.root, 'broken'));
    await writeFile(join(store.root, 'broken', 'manifest.json'), '{"version":1}');
    expect(installedModels(store).map((model) => model.entry.id)).toEqual([entry.id]);
  });

  test('a folder that was renamed is not taken for another model', async () => {
    const entry = await addLocalModel(store, await file('good.onnx'));
    await rename(join(store.root, entry.id), join(store.root, 'renamed'));
    expect(installedModels(store)).toEqual([]);
    expect(modelState(store, entryNamed('renamed'))).toMatchObject({ state: 'damaged' });
  });

  test('a manifest cut short is a damaged model with a way out', async () => {
    const path = await file('good.onnx');
    const entry = await addLocalModel(store, path);
    const manifest = join(store.root, entry.id, 'manifest.json');
    await writeFile(manifest, (await readFile(manifest)).subarray(0, 20));
    expect(modelState(store, entry)).toMatchObject({ state: 'damaged' });
    await expect(verifyModel(store, entry)).rejects.toThrow('pull the model again');
    expect(await removeModel(store, entry)).toBe(true);
  });
});
