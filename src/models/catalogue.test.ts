import { describe, expect, test } from 'bun:test';
import { CATALOGUE, depthHints, entryById } from './catalogue.ts';
import { recogniseDepth } from './contracts.ts';
import { licenceLine, needsAcceptance } from './licence.ts';
import { modelDirectory, modelFilePath, openStore } from './store.ts';

const PUBLISHED = CATALOGUE.filter(({ embedded }) => embedded === undefined);

test('there is an entry for each encoder, precision, kind and data set that is published', () => {
  const relative = PUBLISHED.filter(({ kind }) => kind === 'relative');
  const metric = PUBLISHED.filter(({ kind }) => kind === 'metric');
  for (const encoder of ['vits', 'vitb', 'vitl'] as const) {
    const own = relative.filter((entry) => entry.encoder === encoder);
    expect(own.map(({ precision }) => precision).sort()).toEqual(
      ['fp16', 'fp32', 'fp32', 'q4', 'q4f16'].sort() as never,
    );
    const sets = metric.filter((entry) => entry.encoder === encoder);
    expect(sets.map(({ dataset, maxDepth }) => [dataset, maxDepth])).toEqual([
      ['hypersim', 20],
      ['vkitti', 80],
    ]);
  }
  expect(CATALOGUE.filter(({ embedded }) => embedded)).toHaveLength(1);
});

describe('every entry', () => {
  test('has an id of its own that names a folder, and files that stay in it', () => {
    const store = openStore({ root: '/store' });
    expect(new Set(CATALOGUE.map(({ id }) => id)).size).toBe(CATALOGUE.length);
    for (const { id, files } of CATALOGUE) {
      expect(modelDirectory(store, id)).toBe(`/store/${id}`);
      for (const { path } of files) expect(modelFilePath(store, id, path)).toStartWith('/store/');
    }
  });

  test('names files on https, with hashes of the right form, and a size, exact or about', () => {
    for (const { files } of PUBLISHED) {
      expect(files.length).toBeGreaterThan(0);
      for (const { url, sha256, bytes, approximateBytes } of files) {
        expect(url).toMatch(/^https:\/\/(huggingface\.co|github\.com)\/.+\.onnx$/);
        if (sha256 !== undefined) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
        expect(bytes ?? approximateBytes).toBeGreaterThan(1e6);
      }
    }
    const pins = PUBLISHED.flatMap(({ files }) => files).filter(({ sha256 }) => sha256);
    expect(new Set(pins.map(({ sha256 }) => sha256)).size).toBe(pins.length);
  });

  test('of base and large is non-commercial and must be accepted; small is free', () => {
    for (const entry of PUBLISHED) {
      expect(needsAcceptance(entry)).toBe(entry.encoder !== 'vits');
      expect(licenceLine(entry)).toContain(
        entry.encoder === 'vits' ? 'Apache-2.0' : 'CC-BY-NC-4.0',
      );
    }
  });

  test('is recognised as what it says by its published input and output names', () => {
    const map = ['b', 'h', 'w'];
    for (const entry of PUBLISHED) {
      const [input, output] = entry.files[0].url.includes('huggingface')
        ? ['pixel_values', 'predicted_depth']
        : ['image', 'depth'];
      const io = {
        inputs: [{ name: input, dtype: 'float32', dims: ['b', 3, 'h', 'w'] }],
        outputs: [{ name: output, dtype: 'float32', dims: map }],
      };
      const contract = recogniseDepth(io, depthHints(entry));
      expect(contract.kind).toBe(entry.kind);
      expect(contract.trainedMaxDepth).toBe(entry.maxDepth);
      // The file's name alone says the same, so a copy registered by hand is understood too.
      expect(recogniseDepth(io, { fileName: entry.files[0].path }).kind).toBe(entry.kind);
    }
  });
});

test('an unknown id is answered with those alike', () => {
  expect(entryById(CATALOGUE, 'depth-mini').encoder).toBe('mini');
  expect(() => entryById(CATALOGUE, 'metric-indoor')).toThrow(
    'depth-anything-v2-metric-indoor-base',
  );
  expect(() => entryById(CATALOGUE, 'sam')).toThrow('models list');
});
