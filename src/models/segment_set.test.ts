import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModelError } from './errors.ts';
import type { SegmentFamily } from './segment_contracts.ts';
import { type FixtureSet, segmentFiles, writeFiles } from './segment_fixture.ts';
import { inspectSegmentFolder, requireTokenizer } from './segment_set.ts';

const PARITY = join(import.meta.dir, '../../test/fixtures/segment-parity');
const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const HALF = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'triptych-segment-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const write = (family: SegmentFamily, set: FixtureSet = {}) =>
  writeFiles(folder, segmentFiles(family, set));
const drop = (name: string) => rm(join(folder, name));

function only(device: 'webgpu' | 'cpu' = 'cpu') {
  const sets = inspectSegmentFolder(folder, device);
  expect(sets).toHaveLength(1);
  return sets[0];
}

function failure(): ModelError {
  try {
    inspectSegmentFolder(folder, 'cpu');
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('the folder was recognised');
}

describe('the families', () => {
  test('our own export: the parity fixture, by its metadata', () => {
    const [set, ...others] = inspectSegmentFolder(PARITY, 'webgpu');
    expect(others).toEqual([]);
    expect(set).toMatchObject({
      family: 'single-backbone',
      generation: 'mini',
      answers: ['concept', 'click'],
      precision: 'fp32',
      imageSize: 126,
      ...HALF,
      tokenizerFile: join(PARITY, 'tokenizer.json'),
    });
    expect(set.files.map((file) => file.slice(PARITY.length + 1))).toEqual([
      'vision-encoder.onnx',
      'text-encoder.onnx',
      'concept-decoder.onnx',
      'click-decoder.onnx',
      'tokenizer.json',
    ]);
  });

  describe('graphs for video', () => {
    const VIDEO = join(import.meta.dir, '../../test/fixtures/video-parity');
    const GRAPHS = ['memory-attention.onnx', 'memory-encoder.onnx', 'mask-prompt.onnx'];

    beforeEach(async () => {
      await cp(PARITY, folder, { recursive: true });
      for (const name of GRAPHS) await cp(join(VIDEO, name), join(folder, name));
    });

    test('are found beside those for pictures, with the sizes that they state', () => {
      const { video, files, answers } = only();
      expect(answers).toEqual(['concept', 'click']);
      expect(video?.sizes).toEqual({ maskSize: 36, timeRows: 7, conditioning: 4, pointers: 16 });
      const { attention, memory, maskPrompt } = video ?? {};
      const found = [attention, memory, maskPrompt].map((graph) => graph?.file);
      expect(found).toEqual(GRAPHS.map((name) => join(folder, name)));
      expect(files).toEqual(expect.arrayContaining(found as string[]));
    });

    test.each(GRAPHS)('count only together: without %s there is no video', async (name) => {
      await drop(name);
      expect(only().video).toBeNull();
      expect(only().answers).toEqual(['concept', 'click']);
    });
  });

  test('usls: concepts', async () => {
    await write('usls');
    expect(only()).toMatchObject({
      family: 'usls',
      generation: 'sam3',
      answers: ['concept'],
      imageSize: 1008,
      ...HALF,
      click: null,
    });
  });

  test('transformers: clicks, with weights beside the graphs, in `onnx` as published', async () => {
    await write('transformers-tracker', { externalBytes: 64 });
    const set = only();
    expect(set).toMatchObject({ generation: 'sam3', answers: ['click'], concept: null, ...HALF });
    expect(set.files.map((file) => file.slice(folder.length + 1))).toEqual([
      'onnx/vision_encoder.onnx',
      'onnx/vision_encoder.onnx_data',
      'onnx/prompt_encoder_mask_decoder.onnx',
      'onnx/prompt_encoder_mask_decoder.onnx_data',
    ]);
    expect(set.tokenizerFile).toBeNull();
  });

  test('of 1024² is SAM 2.1, or EdgeTAM by its folder, with ImageNet statistics', async () => {
    await write('transformers-tracker', { size: 1024 });
    expect(only()).toMatchObject({ generation: 'sam2.1', imageSize: 1024, ...IMAGENET });
    const edge = join(folder, 'EdgeTAM-ONNX');
    await writeFiles(edge, segmentFiles('transformers-tracker', { size: 1024 }));
    expect(inspectSegmentFolder(edge, 'cpu')[0].generation).toBe('edgetam');
  });

  test('two in one folder are two sets; parts of a third are passed over', async () => {
    await write('usls');
    await write('transformers-tracker');
    const families = () => inspectSegmentFolder(folder, 'cpu').map(({ family }) => family);
    expect(families()).toEqual(['usls', 'transformers-tracker']);
    await drop('text-encoder.onnx');
    expect(families()).toEqual(['transformers-tracker']);
  });

  test('our own with one decoder has one capability', async () => {
    await write('single-backbone');
    await drop('click-decoder.onnx');
    expect(only()).toMatchObject({ answers: ['concept'], click: null, generation: 'sam3' });
    await write('single-backbone');
    await drop('text-encoder.onnx');
    expect(only()).toMatchObject({ answers: ['click'], concept: null, tokenizerFile: null });
  });
});

describe('mean, standard deviation and size', () => {
  const config = JSON.stringify({
    image_mean: [0.1, 0.2, 0.3],
    image_std: [0.4, 0.5, 0.6],
    size: { height: 1024, width: 1024 },
  });

  test('of the graph go before the configuration, which goes before the family', async () => {
    await write('transformers-tracker', { size: 1024 });
    await writeFiles(folder, { 'preprocessor_config.json': config });
    const stated = only();
    expect(stated).toMatchObject({ mean: [0.1, 0.2, 0.3], std: [0.4, 0.5, 0.6] });
    expect(stated.files).toContain(join(folder, 'preprocessor_config.json'));
    await write('transformers-tracker', { size: 1024, metadata: { mean: '1,2,3', std: 'odd' } });
    expect(only()).toMatchObject({ mean: [1, 2, 3], std: [0.4, 0.5, 0.6] });
  });

  test('are read from the configuration of a whole processor too', async () => {
    await write('transformers-tracker', { size: 1024 });
    const whole = JSON.stringify({ image_processor: JSON.parse(config), processor_class: 'x' });
    await writeFiles(folder, { 'processor_config.json': whole });
    expect(only().mean).toEqual([0.1, 0.2, 0.3]);
    // One that speaks of other things says nothing.
    await writeFiles(folder, { 'preprocessor_config.json': '{"processor_class":"x"}' });
    expect(only().mean).toEqual([0.1, 0.2, 0.3]);
  });

  test('a size that the graph leaves free comes from the configuration, or is missed', async () => {
    const free = { size: 1024, inputDims: ['b', 3, 'height', 'width'] };
    await write('transformers-tracker', free);
    expect(failure().message).toContain('preprocessor_config.json');
    await writeFiles(folder, { 'preprocessor_config.json': config });
    expect(only().imageSize).toBe(1024);
  });

  test.each(['not JSON', '{"image_mean":[1,2]}', '{"image_std":[0,0,0]}', '{"image_processor":3}'])(
    'a configuration of %s is named, not passed over',
    async (content) => {
      await write('transformers-tracker');
      await writeFiles(folder, { 'preprocessor_config.json': content });
      expect(failure()).toMatchObject({ code: 'format' });
      expect(failure().message).toContain('preprocessor_config.json');
    },
  );

  test('a picture that is no square, or has no 3 channels, is refused', async () => {
    for (const inputDims of [
      ['b', 3, 1008, 504],
      ['b', 1, 1008, 1008],
      [3, 1008, 1008],
    ]) {
      await write('usls', { inputDims });
      expect(failure().message).toContain(`[${inputDims.join(',')}]`);
    }
  });
});

describe('several precisions in a folder', () => {
  test('each device gets its own, part by part', async () => {
    await write('single-backbone', { metadata: { dtype: 'fp32' } });
    await write('single-backbone', { metadata: { dtype: 'fp16' }, suffix: '-fp16' });
    await drop('text-encoder-fp16.onnx');
    expect(only('cpu').encoder.file).toEndWith('vision-encoder.onnx');
    const gpu = only('webgpu');
    expect(gpu.precision).toBe('fp16');
    expect(gpu.encoder.file).toEndWith('vision-encoder-fp16.onnx');
    expect(gpu.concept?.text.file).toEndWith('text-encoder.onnx');
    expect(gpu.click?.decoder.file).toEndWith('click-decoder-fp16.onnx');
  });
});

describe('what is refused, and how', () => {
  test('no folder, a file, an empty folder', async () => {
    expect(() => inspectSegmentFolder(join(folder, 'none'), 'cpu')).toThrow('is not there');
    await writeFiles(folder, { 'sam3.pt': 'x' });
    expect(() => inspectSegmentFolder(join(folder, 'sam3.pt'), 'cpu')).toThrow('is a file');
    expect(failure().code).toBe('unknown-graph');
    expect(failure().message).toContain('no .onnx file');
  });

  test('a set without its decoder names what is there and the inputs of what is missing', async () => {
    await write('usls');
    await drop('geo-encoder-mask-decoder.onnx');
    const { code, message } = failure();
    expect(code).toBe('unknown-graph');
    expect(message).toContain('vision-encoder.onnx: usls encoder');
    expect(message).toContain('text-encoder.onnx: usls text');
    expect(message).toContain('concept (inputs fpn_feat_0');
    expect(message).not.toContain('single-backbone');
  });

  test('graphs of float16 inputs are named with the type that is expected', async () => {
    await write('usls', { float: 10 });
    expect(failure().message).toContain('images is float16, expected float32');
  });

  test('other graphs are listed with their inputs', async () => {
    await write('single-backbone');
    for (const name of ['vision-encoder', 'text-encoder', 'concept-decoder']) {
      await drop(`${name}.onnx`);
    }
    await writeFiles(join(folder, 'onnx'), {});
    expect(failure().message).toContain('click-decoder.onnx: single-backbone click');
  });

  test('graphs of two models do not fit together', async () => {
    await write('transformers-tracker');
    const other = segmentFiles('transformers-tracker', { size: 1024 });
    const decoder = 'onnx/prompt_encoder_mask_decoder.onnx';
    await writeFiles(folder, { [decoder]: other[decoder] });
    expect(failure().message).toContain('image_embeddings.0');
    expect(failure().message).toContain('[b,32,288,288]');
  });

  test('weights that are not beside their graph', async () => {
    await write('transformers-tracker', { externalBytes: 64 });
    await drop('onnx/vision_encoder.onnx_data');
    expect(failure()).toMatchObject({ code: 'not-found' });
    expect(failure().message).toContain('vision_encoder.onnx_data');
  });

  test('a file that is no graph', async () => {
    await write('usls');
    await writeFiles(folder, { 'text-encoder.onnx': '<html>' });
    expect(failure()).toMatchObject({ code: 'format' });
    expect(failure().message).toContain('text-encoder.onnx');
  });

  test('texts without a tokenizer, when one is asked for', async () => {
    await write('usls');
    requireTokenizer(folder, only());
    await drop('tokenizer.json');
    expect(() => requireTokenizer(folder, only())).toThrow('tokenizer.json');
  });
});
