import { describe, expect, test } from 'bun:test';
import { CATALOGUE, depthHints, entryById } from './catalogue.ts';
import { recogniseDepth } from './contracts.ts';
import { DEPTH_CATALOGUE } from './depth_catalogue.ts';
import { licenceLine, needsAcceptance } from './licence.ts';
import { SEGMENT_CATALOGUE } from './segment_catalogue.ts';
import { modelDirectory, modelFilePath, openStore } from './store.ts';

const PUBLISHED = CATALOGUE.filter(({ embedded }) => embedded === undefined);
const DEPTH = DEPTH_CATALOGUE.filter(({ embedded }) => embedded === undefined);
const SEGMENT = SEGMENT_CATALOGUE.filter(({ embedded }) => embedded === undefined);

test('there is a depth entry for each encoder, precision, kind and data set that is published', () => {
  const relative = DEPTH.filter(({ kind }) => kind === 'relative');
  const metric = DEPTH.filter(({ kind }) => kind === 'metric');
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
  expect(CATALOGUE.filter(({ embedded }) => embedded).map(({ id }) => id)).toEqual([
    'depth-mini',
    'segment-mini',
  ]);
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
    for (const { files, approximateBytes } of PUBLISHED) {
      expect(files.length).toBeGreaterThan(0);
      expect(new Set(files.map(({ path }) => path)).size).toBe(files.length);
      for (const { url, path, sha256 } of files) {
        expect(url).toMatch(
          /^https:\/\/(huggingface\.co|github\.com|api\.ngc\.nvidia\.com)\/[^?#]+$/,
        );
        expect(url).toEndWith(`/${path.split('/').at(-1)}`);
        if (sha256 !== undefined) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
      }
      const sum = files.reduce((all, file) => all + (file.bytes ?? file.approximateBytes ?? 0), 0);
      expect(approximateBytes ?? sum).toBeGreaterThan(1e7);
    }
    const pins = PUBLISHED.flatMap(({ files }) => files).filter(({ sha256 }) => sha256);
    // Two entries may share a file.
    const urls = new Set(pins.map(({ url }) => url));
    expect(new Set(pins.map(({ sha256 }) => sha256)).size).toBe(urls.size);
  });

  test('of base and large depth is non-commercial and must be accepted; small is free', () => {
    for (const entry of DEPTH) {
      expect(needsAcceptance(entry)).toBe(entry.encoder !== 'vits');
      expect(licenceLine(entry)).toContain(
        entry.encoder === 'vits' ? 'Apache-2.0' : 'CC-BY-NC-4.0',
      );
    }
  });

  test('of depth is recognised as what it says by its published input and output names', () => {
    const map = ['b', 'h', 'w'];
    for (const entry of DEPTH) {
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

describe('every segmentation entry', () => {
  test('of SAM 3 is under its licence, which must be accepted and lies beside the weights', () => {
    expect(SEGMENT.map(({ generation }) => generation)).toContain('sam3');
    for (const entry of SEGMENT) {
      const restricted = entry.generation === 'sam3';
      expect(needsAcceptance(entry)).toBe(restricted);
      expect(licenceLine(entry)).toContain(restricted ? 'LicenseRef-SAM, with cond' : 'Apache-2.0');
      expect(entry.files.some(({ path }) => path === 'LICENSE')).toBe(restricted);
    }
  });

  test('has what its family is made of: three graphs and a tokenizer, or two with their weights', () => {
    for (const { contract, files, id } of SEGMENT) {
      const paths = files.map(({ path }) => path);
      const graphs = paths.filter((path) => path.endsWith('.onnx'));
      const isVideo = id === 'edgetam-video';
      expect(graphs).toHaveLength(contract === 'usls' ? 3 : isVideo ? 5 : 2);
      expect(paths.includes('tokenizer.json')).toBe(contract === 'usls');
      expect(paths.includes('preprocessor_config.json')).toBe(contract === 'transformers-tracker');
      const weights = contract === 'usls' ? [] : graphs.slice(0, 2).map((graph) => `${graph}_data`);
      expect(paths).toEqual(expect.arrayContaining(weights));
      expect(paths[0]).toMatch(/vision[-_]encoder/);
      expect(id).toMatch(/^(sam3-(concept|tracker)|edgetam|sam2\.1-tiny)/);
    }
  });

  test('answers concepts or clicks, in more than one precision', () => {
    for (const need of ['concept', 'click'] as const) {
      const able = SEGMENT.filter(
        ({ answers, generation }) => generation === 'sam3' && answers.includes(need),
      );
      const precisions = able.map(({ precision }) => precision);
      expect(precisions).toEqual(expect.arrayContaining(['fp32', 'fp16', 'q4f16']));
      expect(new Set(precisions).size).toBe(precisions.length);
    }
  });
});

test('an unknown id is answered with those alike', () => {
  expect(entryById(CATALOGUE, 'depth-mini').title).toContain('miniature');
  expect(() => entryById(CATALOGUE, 'metric-indoor')).toThrow(
    'depth-anything-v2-metric-indoor-base',
  );
  expect(() => entryById(CATALOGUE, 'yolo')).toThrow('models list');
});
