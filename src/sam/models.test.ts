import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CATALOGUE, entryById } from '../models/catalogue.ts';
import { ModelError, ModelNotInstalledError } from '../models/errors.ts';
import { writeManifest } from '../models/manifest.ts';
import type { SegmentFamily } from '../models/segment_contracts.ts';
import { type FixtureSet, segmentFiles, writeFiles } from '../models/segment_fixture.ts';
import { addLocalFolder } from '../models/segment_local.ts';
import { type ModelStore, modelDirectory, modelFilePath, openStore } from '../models/store.ts';
import { SegmentModels } from './models.ts';

const PARITY = join(import.meta.dir, '../../test/fixtures/segment-parity');

let folder: string;
let store: ModelStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'triptych-segment-models-'));
  // A repository of its own, so that the tests don't depend on the embedded files.
  store = openStore({ root: join(folder, 'models'), repository: folder });
  const mini = join(folder, 'models/embedded/segment-mini');
  await writeFiles(mini, segmentFiles('single-backbone', { size: 126, video: true }));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** Puts small files in the place of a catalogue model's, as a pull would. */
async function install(id: string, family: SegmentFamily, set: FixtureSet = {}): Promise<void> {
  const written = segmentFiles(family, { externalBytes: 64, ...set });
  const files = [];
  for (const { path } of entryById(CATALOGUE, id).files) {
    const file = modelFilePath(store, id, path);
    const bytes = written[path] ?? new TextEncoder().encode('{}');
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
    const rest = { sha256: '0'.repeat(64), hashOrigin: 'recorded', source: '' } as const;
    files.push({ path, bytes: bytes.length, ...rest });
  }
  for (const path of Object.keys(written).filter((name) => name.endsWith('_data'))) {
    await writeFile(modelFilePath(store, id, path), new Uint8Array(64));
  }
  await writeManifest(modelDirectory(store, id), { version: 1, id, installedAt: '', files });
}

const concept = (suffix = '') => install(`sam3-concept${suffix}`, 'usls', { suffix });
const tracker = (id: string, size: number, suffix = '') =>
  install(id, 'transformers-tracker', { size, suffix });

function models(options: { strict?: boolean; checkpoint?: string } = {}): SegmentModels {
  const { strict = false, checkpoint = null } = options;
  return new SegmentModels(store, { strict, checkpoint });
}

function found(
  need: 'concept' | 'click',
  device: 'webgpu' | 'cpu' = 'cpu',
  model?: string,
): [string, boolean] {
  const answer = models().find({ need, model }, device);
  return [answer.model.name, answer.exact];
}

function refusal(work: () => unknown): ModelError {
  try {
    work();
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('something was found');
}

describe('with nothing installed', () => {
  test('the embedded model answers both, and says that it stands in', () => {
    expect(found('concept')).toEqual(['segment-mini', false]);
    expect(found('click', 'webgpu')).toEqual(['segment-mini', false]);
    expect(found('click', 'cpu', 'segment-mini')).toEqual(['segment-mini', true]);
    expect(found('click', 'cpu', 'edgetam')).toEqual(['segment-mini', false]);
  });

  test('strict mode names the command that installs what the device runs best', () => {
    const strict = models({ strict: true });
    const command = (...[request, device]: Parameters<SegmentModels['find']>) => {
      const error = refusal(() => strict.find(request, device));
      expect(error).toBeInstanceOf(ModelNotInstalledError);
      expect(error.message).toContain((error as ModelNotInstalledError).command);
      return (error as ModelNotInstalledError).command;
    };
    const run = 'bun run models pull';
    expect(command({ need: 'concept' }, 'cpu')).toBe(`${run} sam3-concept`);
    expect(command({ need: 'concept' }, 'webgpu')).toBe(`${run} sam3-concept-fp16`);
    expect(command({ need: 'click' }, 'webgpu')).toBe(`${run} sam3-tracker-fp16`);
    expect(command({ need: 'click', model: 'edgetam' }, 'webgpu')).toBe(`${run} edgetam`);
    // Control: by its name the embedded one is what was asked for.
    expect(strict.find({ need: 'click', model: 'segment-mini' }, 'cpu').exact).toBe(true);
  });

  test('without the embedded files there is nothing left', async () => {
    await rm(join(folder, 'models/embedded'), { recursive: true });
    expect(refusal(() => found('click'))).toBeInstanceOf(ModelNotInstalledError);
    expect(models().installed('cpu')).toEqual([]);
  });
});

describe('installed models', () => {
  test('SAM 3 before SAM 2.1 before EdgeTAM before the embedded one', async () => {
    await tracker('edgetam', 1024);
    expect(found('click')).toEqual(['edgetam', false]);
    await tracker('sam2.1-tiny', 1024);
    expect(found('click')).toEqual(['sam2.1-tiny', false]);
    await tracker('sam3-tracker', 1008);
    expect(found('click')).toEqual(['sam3-tracker', true]);
    // They have no texts.
    expect(found('concept')).toEqual(['segment-mini', false]);
    await concept();
    expect(found('concept')).toEqual(['sam3-concept', true]);
    expect(
      models()
        .installed('cpu')
        .map(({ name }) => name),
    ).toEqual(['sam3-concept', 'sam3-tracker', 'sam2.1-tiny', 'edgetam', 'segment-mini']);
  });

  test('precision follows the device', async () => {
    for (const suffix of ['', '-q4f16', '-fp16', '-q8']) await concept(suffix);
    expect(found('concept', 'cpu')).toEqual(['sam3-concept', true]);
    expect(found('concept', 'webgpu')).toEqual(['sam3-concept-fp16', true]);
  });

  test('one that answers both goes before two that answer one each', async () => {
    await concept();
    await tracker('sam3-tracker', 1008);
    const own = join(folder, 'exported');
    await writeFiles(own, segmentFiles('single-backbone'));
    await addLocalFolder(store, own);
    expect(found('concept')).toEqual(['local-exported', true]);
    expect(found('click')).toEqual(['local-exported', true]);
  });

  test('an id decides, and where it is not installed the nearest of its kind answers', async () => {
    await tracker('edgetam-fp16', 1024, '_fp16');
    await tracker('sam3-tracker', 1008);
    expect(found('click', 'cpu', 'edgetam-fp16')).toEqual(['edgetam-fp16', true]);
    expect(found('click', 'cpu', 'edgetam')).toEqual(['edgetam-fp16', false]);
    expect(found('click', 'cpu', 'sam2.1-tiny')).toEqual(['sam3-tracker', false]);
  });

  test('an id that is none, or that cannot do it, is answered with those that can', async () => {
    const unknown = refusal(() => found('click', 'cpu', 'sam9'));
    expect(unknown.code).toBe('unknown-model');
    expect(unknown.message).toContain('sam3-tracker-fp16');
    expect(unknown.message).not.toContain('sam3-concept');
    const unable = refusal(() => found('concept', 'cpu', 'edgetam'));
    expect(unable.code).toBe('usage');
    expect(unable.message).toContain('sam3-concept');
    const depth = refusal(() => found('click', 'cpu', 'depth-mini'));
    expect(depth.code).toBe('unknown-model');
  });

  test('a damaged one does not answer', async () => {
    await tracker('edgetam', 1024);
    await rm(modelFilePath(store, 'edgetam', 'onnx/vision_encoder.onnx_data'));
    expect(found('click')).toEqual(['segment-mini', false]);
  });
});

describe('the checkpoint', () => {
  test('goes before all that is installed, for what it can do', async () => {
    await tracker('sam3-tracker', 1008);
    const own = models({ strict: true, checkpoint: PARITY });
    for (const need of ['concept', 'click'] as const) {
      const { model, exact, tokenizerFile } = own.find({ need }, 'cpu');
      expect([model.name, exact]).toEqual(['sam3-checkpoint', true]);
      expect(tokenizerFile).toBe(join(PARITY, 'tokenizer.json'));
    }
    const clicks = join(folder, 'clicks');
    await writeFiles(clicks, segmentFiles('transformers-tracker'));
    await concept();
    const half = models({ checkpoint: clicks });
    expect(half.find({ need: 'click' }, 'cpu').model.name).toBe('sam3-checkpoint');
    expect(half.find({ need: 'concept' }, 'cpu').model.name).toBe('sam3-concept');
    expect(half.find({ need: 'click', model: 'sam3-tracker' }, 'cpu').model.name).toBe(
      'sam3-tracker',
    );
  });

  test('may hold two published sets; each answers what it can', async () => {
    const both = join(folder, 'both');
    await writeFiles(both, segmentFiles('usls'));
    await writeFiles(both, segmentFiles('transformers-tracker'));
    const own = models({ checkpoint: both });
    expect(own.find({ need: 'concept' }, 'cpu').model.family).toBe('usls');
    expect(own.find({ need: 'click' }, 'cpu').model.family).toBe('transformers-tracker');
  });

  test('that is none is refused at once', async () => {
    await writeFiles(folder, { 'sam3.pt': 'x' });
    for (const [path, message] of [
      [join(folder, 'none'), 'is not there'],
      [join(folder, 'sam3.pt'), 'models/export/sam3.py'],
      [folder, 'no .onnx file'],
    ]) {
      expect(() => models({ checkpoint: path })).toThrow(message);
    }
  });

  test('without a tokenizer answers clicks, and says what texts need', async () => {
    const own = join(folder, 'own');
    await writeFiles(own, segmentFiles('single-backbone'));
    await rm(join(own, 'tokenizer.json'));
    const found = models({ checkpoint: own });
    expect(found.find({ need: 'click' }, 'cpu').tokenizerFile).toBeNull();
    expect(() => found.find({ need: 'concept' }, 'cpu')).toThrow('tokenizer.json');
  });
});

describe('the description of a model', () => {
  test('counts the bytes of weights beside a graph, and changes with them', async () => {
    await tracker('edgetam', 1024);
    const known = models();
    const encoder = () => known.find({ need: 'click', model: 'edgetam' }, 'cpu').model.encoder;
    const graph = modelFilePath(store, 'edgetam', 'onnx/vision_encoder.onnx');
    const before = encoder();
    expect(before.file).toBe(graph);
    expect(before.bytes).toBe(Bun.file(graph).size + 64);
    expect(encoder()).toEqual(before);
    await utimes(`${graph}_data`, 1, 1);
    expect(encoder().version).not.toBe(before.version);
  });

  test('is that of the parity fixture', async () => {
    const { image_size } = (await Bun.file(join(PARITY, 'manifest.json')).json()) as {
      image_size: number;
    };
    const { model } = models({ checkpoint: PARITY }).find({ need: 'concept' }, 'cpu');
    expect(model).toMatchObject({
      family: 'single-backbone',
      imageSize: image_size,
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
      encoder: { file: join(PARITY, 'vision-encoder.onnx') },
      concept: {
        text: { file: join(PARITY, 'text-encoder.onnx') },
        decoder: { file: join(PARITY, 'concept-decoder.onnx') },
      },
      click: { decoder: { file: join(PARITY, 'click-decoder.onnx') } },
    });
  });

  test('is read once: a file that looks the same is not opened again', async () => {
    const own = join(folder, 'own');
    await writeFiles(own, segmentFiles('transformers-tracker'));
    const graph = join(own, 'onnx/vision_encoder.onnx');
    const size = Bun.file(graph).size;
    await utimes(graph, 5, 5);
    const known = models({ checkpoint: own });
    await writeFile(graph, new Uint8Array(size));
    await utimes(graph, 5, 5);
    expect(known.find({ need: 'click' }, 'cpu').model.imageSize).toBe(1008);
    // Control: whoever has not read it yet falls over what is there now.
    expect(() => models({ checkpoint: own })).toThrow('not an ONNX model');
  });

  test('of a folder whose files changed is read again', async () => {
    const own = join(folder, 'own');
    await writeFiles(own, segmentFiles('transformers-tracker'));
    const known = models({ checkpoint: own });
    const size = () => known.find({ need: 'click' }, 'cpu').model.imageSize;
    expect(size()).toBe(1008);
    await writeFiles(own, segmentFiles('transformers-tracker', { size: 1024 }));
    expect(size()).toBe(1024);
  });
});
