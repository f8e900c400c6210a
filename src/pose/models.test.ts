import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CATALOGUE, entryById } from '../models/catalogue.ts';
import { pull } from '../models/download.ts';
import { writePair } from '../models/pose_fixture.ts';
import { addLocalPose } from '../models/pose_local.ts';
import { removeModel } from '../models/remove.ts';
import { type ModelStore, openStore } from '../models/store.ts';
import { PoseModels } from './models.ts';

let folder: string;
let store: ModelStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'triptych-pose-models-'));
  store = openStore({ root: join(folder, 'models'), repository: folder });
});

afterEach(() => rm(folder, { recursive: true, force: true }));

test('a registered folder is found until it is removed', async () => {
  const own = join(folder, 'own');
  await writePair(own, 'cpp', ['refiner_hwc.onnx', 'scorer_hwc.onnx']);
  const models = new PoseModels(store);
  expect(models.find('cpu')).toBeNull();
  const entry = await addLocalPose(store, own);
  const model = models.find('cpu');
  expect(model).toMatchObject({ name: 'local-own', contract: 'cpp' });
  expect(model?.refiner.source.file).toBe(join(own, 'refiner_hwc.onnx'));
  expect(model?.scorer.source.file).toBe(join(own, 'scorer_hwc.onnx'));
  expect(model?.refiner.source.bytes).toBeGreaterThan(100);
  expect(models.find('cpu')).toBe(model);
  await removeModel(store, entry);
  expect(models.find('cpu')).toBeNull();
});

test('one that was pulled goes before it, and one that lost a graph is passed over', async () => {
  const own = join(folder, 'own');
  await writePair(own, 'cpp', ['a.onnx', 'b.onnx']);
  await addLocalPose(store, own);
  const published = entryById(CATALOGUE, 'foundationpose-isaac');
  // Without what pins its bytes, so that small graphs can stand for it.
  const entry = { ...published, files: published.files.map(({ url, path }) => ({ url, path })) };
  const catalogue = { ...store, catalogue: [entry] };
  const models = new PoseModels(catalogue);
  expect(models.find('webgpu')?.name).toBe('local-own');
  const fetched = join(folder, 'fetched');
  await writePair(fetched, 'ngc', ['refine_model.onnx', 'score_model.onnx']);
  await pull(entry, catalogue, { from: fetched, acceptLicence: true });
  expect(models.find('webgpu')).toMatchObject({ name: 'foundationpose-isaac', contract: 'ngc' });
  await rm(join(catalogue.root, entry.id, 'score_model.onnx'));
  expect(models.find('webgpu')?.name).toBe('local-own');
  await rm(join(own, 'b.onnx'));
  expect(models.find('webgpu')).toBeNull();
});

test('one that is installed and broken is told with what is wrong, and is no failure', async () => {
  const own = join(folder, 'own');
  await writePair(own, 'cpp', ['a.onnx', 'b.onnx']);
  await addLocalPose(store, own);
  const models = new PoseModels(store);
  expect(models.problem('cpu')).toBeNull();
  const file = join(own, 'b.onnx');
  // Of the size that the manifest has, so that it counts as installed.
  await writeFile(file, new Uint8Array((await stat(file)).size).fill(255));
  expect(models.find('cpu')).toBeNull();
  expect(models.problem('cpu')).toMatch(
    /^local-own is installed and cannot be used: `bun run models verify local-own`/,
  );
});
