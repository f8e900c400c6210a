import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CATALOGUE, entryById } from './catalogue.ts';
import { pull } from './download.ts';
import type { CatalogueEntry, ModelFile } from './entry.ts';
import { listModels, renderList } from './listing.ts';
import { addLocalModel } from './local_model.ts';
import { encodeDepthModel, encodeOnnx } from './onnx_fixture.ts';
import { removeModel } from './remove.ts';
import { segmentFiles, writeFiles } from './segment_fixture.ts';
import { addLocalFolder } from './segment_local.ts';
import { installedModels, type ModelStore, modelState, openStore } from './store.ts';
import { verifyModel } from './verify.ts';

let folder: string;
let store: ModelStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'triptych-segment-store-'));
  store = openStore({ root: join(folder, 'models'), repository: folder });
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const own = () => join(folder, 'my SAM 3');
const originals = () => join(folder, 'fetched');

/** A catalogue entry without what pins its bytes, so that small graphs can stand for it. */
function unpinned(id: string): CatalogueEntry {
  const entry = entryById(CATALOGUE, id);
  const files = entry.files.map(({ url, path }): ModelFile => ({ url, path }));
  return { ...entry, files, approximateBytes: undefined };
}

describe('a folder of the user', () => {
  test('is recognised, registered, listed, verified and forgotten', async () => {
    await writeFiles(own(), segmentFiles('single-backbone', { externalBytes: 64 }));
    const entry = await addLocalFolder(store, own());
    expect(entry).toMatchObject({
      id: 'local-my-sam-3',
      family: 'segment',
      contract: 'single-backbone',
      generation: 'sam3',
      answers: ['concept', 'click'],
      precision: 'fp32',
    });
    const [installed] = installedModels(store);
    expect(installed).toMatchObject({ entry, origin: 'local', folder: own() });
    expect(installed.files).toHaveLength(9);
    expect(installed.files[0]).toBe(join(own(), 'vision-encoder.onnx'));
    const verdict = await verifyModel(store, entry);
    expect(verdict.ok).toBe(true);
    expect(verdict.files.at(-1)?.detail).toBe(
      'single-backbone segmentation, concept and click, 1008²',
    );
    const listed = listModels(store).find(({ id }) => id === entry.id);
    expect(listed).toMatchObject({ state: 'local', answers: ['concept', 'click'] });
    expect(listed?.kind).toBeUndefined();
    expect(await removeModel(store, entry)).toBe(true);
    expect(existsSync(join(own(), 'vision-encoder.onnx'))).toBe(true);
  });

  test('with graphs of two precisions keeps both', async () => {
    const dtype = (name: string) => ({ metadata: { dtype: name } });
    await writeFiles(own(), segmentFiles('single-backbone', dtype('fp32')));
    await writeFiles(own(), segmentFiles('single-backbone', { ...dtype('fp16'), suffix: '-fp16' }));
    const entry = await addLocalFolder(store, own(), { id: 'both' });
    expect(entry).toMatchObject({ id: 'both', precision: 'fp32' });
    expect(installedModels(store)[0].files).toHaveLength(9);
  });

  test('is damaged when weights beside a graph change or go', async () => {
    await writeFiles(own(), segmentFiles('transformers-tracker', { externalBytes: 64 }));
    const entry = await addLocalFolder(store, own());
    const weights = join(own(), 'onnx/vision_encoder.onnx_data');
    await appendFile(weights, 'x');
    expect(modelState(store, entry)).toMatchObject({ state: 'damaged' });
    await rm(weights);
    expect(modelState(store, entry)).toMatchObject({ state: 'damaged' });
    expect(installedModels(store)).toEqual([]);
    expect((await verifyModel(store, entry)).ok).toBe(false);
  });

  test('is refused with two models in it, without a tokenizer, or under a taken name', async () => {
    await writeFiles(own(), segmentFiles('usls'));
    await expect(addLocalFolder(store, own(), { id: 'edgetam' })).rejects.toMatchObject({
      code: 'usage',
    });
    await rm(join(own(), 'tokenizer.json'));
    await expect(addLocalFolder(store, own())).rejects.toThrow('tokenizer.json');
    await writeFiles(own(), segmentFiles('transformers-tracker'));
    await expect(addLocalFolder(store, own())).rejects.toThrow('usls and transformers-tracker');
    expect(installedModels(store)).toEqual([]);
  });

  test('one graph alone is answered with the folder to add', async () => {
    await writeFiles(own(), segmentFiles('usls'));
    const alone = addLocalModel(store, join(own(), 'text-encoder.onnx'));
    await expect(alone).rejects.toThrow(`usls text); add their folder, ${own()}`);
  });
});

describe('a published set', () => {
  test('is installed from a folder, licence text included, verified and removed', async () => {
    const entry = unpinned('sam3-concept-q8');
    const files = segmentFiles('usls', { suffix: '-q8' });
    await writeFiles(originals(), { ...files, LICENSE: 'SAM License' });
    const catalogue = [entry];
    const target = { ...store, catalogue };
    await expect(pull(entry, target, { from: originals() })).rejects.toMatchObject({
      code: 'licence',
    });
    const result = await pull(entry, target, { from: originals(), acceptLicence: true });
    expect(result.files.map(({ path }) => path)).toEqual(entry.files.map(({ path }) => path));
    expect(await Bun.file(join(target.root, entry.id, 'LICENSE')).text()).toBe('SAM License');
    expect((await verifyModel(target, entry)).ok).toBe(true);
    expect(installedModels(target)[0]).toMatchObject({ entry, origin: 'catalogue' });
    expect(await removeModel(target, entry)).toBe(true);
  });

  test('keeps its folders, as a clone of the repository has them', async () => {
    const entry = unpinned('edgetam-fp16');
    const files = segmentFiles('transformers-tracker', {
      size: 1024,
      suffix: '_fp16',
      externalBytes: 64,
    });
    const config = '{"image_mean":[0.1,0.1,0.1],"image_std":[1,1,1]}';
    await writeFiles(originals(), { ...files, 'preprocessor_config.json': config });
    const target = { ...store, catalogue: [entry] };
    await pull(entry, target, { from: originals() });
    expect(existsSync(join(target.root, 'edgetam-fp16/onnx/vision_encoder_fp16.onnx_data'))).toBe(
      true,
    );
    expect(modelState(target, entry).state).toBe('installed');
  });

  test('is not kept when its graphs are of another model', async () => {
    const entry = unpinned('sam2.1-tiny');
    const files = segmentFiles('transformers-tracker', { externalBytes: 64 });
    const depth = encodeDepthModel();
    await writeFiles(originals(), { ...files, 'preprocessor_config.json': '{}' });
    await writeFile(join(originals(), 'onnx/prompt_encoder_mask_decoder.onnx'), depth);
    const target = { ...store, catalogue: [entry] };
    await expect(pull(entry, target, { from: originals() })).rejects.toMatchObject({
      code: 'unknown-graph',
    });
    expect(modelState(target, entry).state).toBe('absent');
  });

  test('is not kept when a graph has weights in a file that is not of the set', async () => {
    const entry = unpinned('sam3-concept');
    const files = segmentFiles('usls');
    files['text-encoder.onnx'] = segmentFiles('usls', { externalBytes: 64 })['text-encoder.onnx'];
    await writeFiles(originals(), { ...files, LICENSE: 'SAM License' });
    const target = { ...store, catalogue: [entry] };
    const options = { from: originals(), acceptLicence: true };
    await expect(pull(entry, target, options)).rejects.toThrow('text-encoder.onnx_data');
    expect(modelState(target, entry).state).toBe('absent');
  });

  test('needs the room of the whole set, where only that is known', async () => {
    const entry = entryById(CATALOGUE, 'sam3-concept-q8');
    const options = { from: originals(), acceptLicence: true, freeBytes: async () => 800e6 };
    await expect(pull(entry, store, options)).rejects.toMatchObject({ code: 'disk-full' });
  });
});

describe('the embedded set', () => {
  const paths = () => entryById(CATALOGUE, 'segment-mini').embedded ?? [];

  test('answers when all of its files are there, and is damaged when one is not', async () => {
    const entry = entryById(CATALOGUE, 'segment-mini');
    const home = join(folder, 'models/embedded/segment-mini');
    expect(modelState(store, entry)).toMatchObject({ state: 'damaged' });
    await writeFiles(home, segmentFiles('single-backbone', { size: 126, video: true }));
    expect(modelState(store, entry).state).toBe('embedded');
    expect(installedModels(store)).toEqual([
      { entry, origin: 'embedded', folder: home, files: paths().map((path) => join(folder, path)) },
    ] as never);
    const verdict = await verifyModel(store, entry);
    expect(verdict.ok).toBe(true);
    expect(verdict.files).toHaveLength(paths().length + 1);
    await rm(join(home, 'click-decoder.onnx'));
    expect(modelState(store, entry)).toMatchObject({ state: 'damaged' });
    expect(installedModels(store)).toEqual([]);
    expect((await verifyModel(store, entry)).ok).toBe(false);
    await writeFile(join(home, 'click-decoder.onnx'), encodeOnnx({ inputs: [], outputs: [] }));
    expect((await verifyModel(store, entry)).ok).toBe(false);
  });

  test('cannot be removed', async () => {
    await expect(removeModel(store, entryById(CATALOGUE, 'segment-mini'))).rejects.toThrow(
      'part of the repository',
    );
  });
});

test('the list has a column for what each family answers, and marks conditions', () => {
  const table = renderList(listModels(store)).split('\n');
  expect(table[0]).toMatch(/^MODEL +FAMILY +ANSWERS +WEIGHTS +SIZE +LICENCE +STATE$/);
  const row = (id: string) => table.find((line) => line.startsWith(`${id} `));
  expect(row('depth-anything-v2-metric-indoor-large')).toMatch(/ depth +metric hypersim +fp32 /);
  expect(row('sam3-concept-q8')).toMatch(/ segment +concept +q8 +~845 MB +LicenseRef-SAM \(\*\)/);
  expect(row('edgetam')).toMatch(/ segment +click +fp32 +~40\.9 MB +Apache-2\.0 /);
  expect(row('segment-mini')).toMatch(/ segment +concept click +fp32 /);
});
