import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CATALOGUE, entryById } from './catalogue.ts';
import { ModelNotInstalledError } from './errors.ts';
import { addLocalModel } from './local_model.ts';
import { writeManifest } from './manifest.ts';
import { encodeDepthModel } from './onnx_fixture.ts';
import { type DepthRequest, type ResolvedDepth, resolveDepth } from './resolve.ts';
import { type ModelStore, modelDirectory, modelFilePath, openStore } from './store.ts';

let folder: string;
let store: ModelStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'triptych-resolve-'));
  // A repository of its own, so that the tests don't depend on the embedded file.
  store = openStore({ root: join(folder, 'models'), repository: folder });
  await mkdir(join(folder, 'models', 'embedded'), { recursive: true });
  await writeFile(
    join(folder, 'models/embedded/depth-mini.onnx'),
    encodeDepthModel({ disparity: true }),
  );
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** Puts small files in the place of a catalogue model's, as a pull would. */
async function install(...ids: string[]): Promise<void> {
  for (const id of ids) {
    const bytes = encodeDepthModel();
    const files = [];
    for (const { path } of entryById(CATALOGUE, id).files) {
      const file = modelFilePath(store, id, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, bytes);
      const sha256 = '0'.repeat(64);
      files.push({
        path,
        bytes: bytes.length,
        sha256,
        hashOrigin: 'recorded',
        source: '',
      } as const);
    }
    await writeManifest(modelDirectory(store, id), { version: 1, id, installedAt: '', files });
  }
}

async function addFile(name: string, traits: Parameters<typeof addLocalModel>[2] = {}) {
  const path = join(folder, name);
  await writeFile(path, encodeDepthModel());
  return addLocalModel(store, path, traits);
}

function resolve(changes: Partial<DepthRequest> = {}): ResolvedDepth {
  return resolveDepth({ encoder: 'vits', dataset: 'hypersim', kind: 'metric', store, ...changes });
}

function refusal(changes: Partial<DepthRequest>): ModelNotInstalledError {
  try {
    resolve(changes);
  } catch (error) {
    if (error instanceof ModelNotInstalledError) return error;
    throw error;
  }
  throw new Error('something was resolved');
}

describe('with nothing installed', () => {
  test('the embedded model answers both kinds, and says that it stands in', () => {
    for (const kind of ['metric', 'relative'] as const) {
      const answer = resolve({ kind, encoder: 'vitl' });
      expect(answer.entry.id).toBe('depth-mini');
      expect(answer.origin).toBe('embedded');
      expect(answer.exact).toBe(false);
      expect(answer.differs).toContain('encoder');
      expect(answer.file).toBe(join(folder, 'models/embedded/depth-mini.onnx'));
    }
  });

  test('asked for by name, it is exact', () => {
    expect(resolve({ encoder: 'mini' })).toMatchObject({ exact: true, differs: [] });
    expect(resolve({ encoder: 'mini', dataset: 'vkitti' }).differs).toEqual(['dataset']);
  });

  test('strict mode names the command that installs the model', () => {
    const error = refusal({ strict: true, dataset: 'vkitti' });
    expect(error.code).toBe('not-installed');
    expect(error.command).toBe('bun run models pull depth-anything-v2-metric-outdoor-small');
    expect(error.message).toContain('vits metric vkitti');
    expect(error.message).toContain(error.command);
    const relative = { strict: true, kind: 'relative', encoder: 'vitl' } as const;
    expect(refusal(relative).command).toBe('bun run models pull depth-anything-v2-large');
    expect(refusal({ ...relative, device: 'webgpu' }).command).toBe(
      'bun run models pull depth-anything-v2-large-fp16',
    );
    expect(refusal({ ...relative, precision: 'q4' }).command).toBe(
      'bun run models pull depth-anything-v2-large-q4',
    );
  });

  test('without the embedded file there is nothing left', async () => {
    await rm(join(folder, 'models/embedded'), { recursive: true });
    expect(refusal({}).command).toBe('bun run models pull depth-anything-v2-metric-indoor-small');
  });
});

describe('installed models', () => {
  test('an exact one answers, also in strict mode', async () => {
    await install('depth-anything-v2-metric-indoor-small');
    const answer = resolve({ strict: true });
    expect(answer).toMatchObject({ exact: true, differs: [], origin: 'catalogue' });
    expect(answer.file).toBe(
      join(store.root, answer.entry.id, 'depth_anything_v2_vits_indoor_dynamic.onnx'),
    );
  });

  test('never one of the other kind', async () => {
    await install('depth-anything-v2-metric-indoor-small');
    expect(resolve({ kind: 'relative' }).entry.id).toBe('depth-mini');
    await install('depth-anything-v2-base');
    expect(resolve({ kind: 'metric', encoder: 'vitb' }).entry.kind).toBe('metric');
  });

  test('precision follows the device, unless one is asked for', async () => {
    await install('depth-anything-v2-small', 'depth-anything-v2-small-fp16');
    await install('depth-anything-v2-small-q4', 'depth-anything-v2-small-q4f16');
    const relative = { kind: 'relative' } as const;
    expect(resolve({ ...relative, device: 'cpu' }).entry.precision).toBe('fp32');
    expect(resolve({ ...relative, device: 'webgpu' }).entry.precision).toBe('fp16');
    for (const precision of ['fp32', 'fp16', 'q4', 'q4f16'] as const) {
      const answer = resolve({ ...relative, precision, device: 'webgpu' });
      expect(answer).toMatchObject({ exact: true, entry: { precision } });
    }
  });

  test('a precision that is not there is a difference, not a failure', async () => {
    await install('depth-anything-v2-small');
    const answer = resolve({ kind: 'relative', precision: 'q4' });
    expect(answer).toMatchObject({ exact: false, differs: ['precision'] });
  });

  test('the nearest stands in before the embedded one: data set, then encoder', async () => {
    await install('depth-anything-v2-metric-outdoor-large');
    expect(resolve({ encoder: 'vitl' })).toMatchObject({
      entry: { id: 'depth-anything-v2-metric-outdoor-large' },
      differs: ['dataset'],
    });
    await install('depth-anything-v2-metric-indoor-small');
    expect(resolve({ encoder: 'vitl' })).toMatchObject({
      entry: { id: 'depth-anything-v2-metric-indoor-small' },
      exact: false,
      differs: ['encoder'],
    });
  });

  test('the data set is no matter to a relative request', async () => {
    await install('depth-anything-v2-small');
    expect(resolve({ kind: 'relative', dataset: 'vkitti' }).exact).toBe(true);
  });

  test('a damaged one does not answer', async () => {
    await install('depth-anything-v2-metric-indoor-small');
    await rm(resolve().file);
    expect(resolve().entry.id).toBe('depth-mini');
  });
});

describe('local files', () => {
  test('one that says what it is answers exactly, after the catalogue', async () => {
    const mine = await addFile('depth_anything_v2_vits_indoor_mine.onnx');
    expect(resolve({ strict: true })).toMatchObject({ exact: true, entry: { id: mine.id } });
    await install('depth-anything-v2-metric-indoor-small');
    expect(resolve().entry.id).toBe('depth-anything-v2-metric-indoor-small');
    // What was asked for exactly goes before what only the catalogue has.
    expect(resolve({ encoder: 'vitb' }).exact).toBe(false);
  });

  test('one that does not say its encoder answers any, before the embedded, and is not exact', async () => {
    const mine = await addFile('mine.onnx', { kind: 'metric', maxDepth: 12 });
    for (const encoder of ['vits', 'vitl'] as const) {
      expect(resolve({ encoder })).toMatchObject({
        entry: { id: mine.id },
        exact: false,
        differs: ['encoder', 'dataset'],
      });
    }
    expect(resolve({ kind: 'relative' }).entry.id).toBe('depth-mini');
  });
});
