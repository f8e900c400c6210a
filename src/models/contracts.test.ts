import { describe, expect, test } from 'bun:test';
import { depthAxes, type GraphIO, type GraphTensor, recogniseDepth } from './contracts.ts';
import { ModelError } from './errors.ts';

function tensor(name: string, dims: (number | string)[], dtype = 'float32'): GraphTensor {
  return { name, dtype, dims };
}

const FREE = ['batch', 3, 'height', 'width'];
const MAP = ['batch', 'height', 'width'];
const TRANSFORMERS: GraphIO = {
  inputs: [tensor('pixel_values', FREE)],
  outputs: [tensor('predicted_depth', MAP)],
};
const RELEASE: GraphIO = { inputs: [tensor('image', FREE)], outputs: [tensor('depth', MAP)] };
const EMBEDDED: GraphIO = {
  inputs: [tensor('image', FREE)],
  outputs: [tensor('disparity', MAP), tensor('depth', MAP)],
};

function failure(
  io: GraphIO,
  ...rest: Parameters<typeof recogniseDepth> extends [GraphIO, ...infer R] ? R : never
): ModelError {
  try {
    recogniseDepth(io, ...rest);
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('the graph was recognised');
}

describe('the published graphs', () => {
  test('onnx-community: relative', () => {
    expect(recogniseDepth(TRANSFORMERS)).toEqual({
      family: 'depth',
      id: 'transformers',
      input: 'pixel_values',
      output: 'predicted_depth',
      kind: 'relative',
      sizeMultiple: 14,
    });
  });

  test('fabio-sim: relative by its plain name, metric by its file name', () => {
    const plain = { fileName: 'depth_anything_v2_vits_dynamic.onnx' };
    expect(recogniseDepth(RELEASE, plain)).toMatchObject({
      id: 'depth-anything-onnx',
      kind: 'relative',
    });
    expect(recogniseDepth(RELEASE, plain).trainedMaxDepth).toBeUndefined();
    for (const [place, metres] of [
      ['indoor', 20],
      ['outdoor', 80],
    ] as const) {
      const fileName = `depth_anything_v2_vitl_${place}_dynamic.onnx`;
      expect(recogniseDepth(RELEASE, { fileName })).toMatchObject({
        kind: 'metric',
        trainedMaxDepth: metres,
      });
    }
  });

  test('the embedded one: metric to 20 m, with disparity for relative requests', () => {
    expect(recogniseDepth(EMBEDDED)).toEqual({
      family: 'depth',
      id: 'triptych',
      input: 'image',
      output: 'depth',
      kind: 'metric',
      trainedMaxDepth: 20,
      disparityOutput: 'disparity',
      sizeMultiple: 14,
    });
  });

  test('a shape of [B,1,H,W], one unsaid and a symbolic channel axis are accepted', () => {
    for (const dims of [['b', 1, 'h', 'w'], []]) {
      const outputs = [tensor('predicted_depth', dims)];
      const inputs = [tensor('pixel_values', ['b', 'channels', 'h', 'w'])];
      expect(recogniseDepth({ inputs, outputs }).id).toBe('transformers');
    }
  });
});

describe('what decides between metric and relative', () => {
  const fileName = 'depth_anything_v2_vits_indoor_dynamic.onnx';
  const metadata = { kind: 'metric', max_depth: '80' };

  test('the caller before the metadata before the file name', () => {
    const all = { kind: 'metric', maxDepth: 5, metadata, fileName } as const;
    expect(recogniseDepth(RELEASE, all).trainedMaxDepth).toBe(5);
    expect(recogniseDepth(RELEASE, { metadata, fileName }).trainedMaxDepth).toBe(80);
    expect(recogniseDepth(RELEASE, { fileName }).trainedMaxDepth).toBe(20);
    expect(recogniseDepth(RELEASE, { ...all, kind: 'relative' }).kind).toBe('relative');
    expect(recogniseDepth(RELEASE, { metadata: { kind: 'relative' }, fileName }).kind).toBe(
      'relative',
    );
  });

  test('a metric export under the transformers names, by its metadata', () => {
    expect(recogniseDepth(TRANSFORMERS, { metadata })).toMatchObject({
      kind: 'metric',
      trainedMaxDepth: 80,
    });
  });

  test('"indoor" counts as a word of the name only', () => {
    for (const other of ['myindoorset.onnx', '/data/my_indoor_models/vits.onnx']) {
      expect(recogniseDepth(RELEASE, { fileName: other }).kind).toBe('relative');
    }
    expect(recogniseDepth(RELEASE, { fileName: `/data/${fileName}` }).kind).toBe('metric');
  });

  test('a metric graph of unknown range is refused, and so is a range that is none', () => {
    expect(failure(RELEASE, { kind: 'metric' }).message).toContain('--max-depth');
    for (const max_depth of ['0', '-3', 'NaN', 'Infinity', 'twenty']) {
      const error = failure(RELEASE, { metadata: { kind: 'metric', max_depth } });
      expect(error.message).toContain(max_depth);
    }
  });
});

describe('other graphs', () => {
  test('are refused with what was found and what is known', () => {
    const error = failure({
      inputs: [tensor('x', [1, 4, 64, 64], 'float16'), tensor('mask', [])],
      outputs: [tensor('logits', [1, 1000])],
    });
    expect(error.code).toBe('unknown-graph');
    expect(error.message).toContain('x float16 [1,4,64,64], mask float32 []');
    expect(error.message).toContain('logits float32 [1,1000]');
    expect(error.message).toContain('pixel_values float32 [B,3,H,W] → predicted_depth');
    expect(error.message).toContain('image float32 [B,3,H,W] → depth, disparity');
  });

  test('one wrong thing at a time is enough', () => {
    const good = TRANSFORMERS.inputs[0];
    const wrong: GraphIO[] = [
      { ...TRANSFORMERS, inputs: [{ ...good, name: 'pixels' }] },
      { ...TRANSFORMERS, inputs: [{ ...good, dtype: 'float16' }] },
      { ...TRANSFORMERS, inputs: [{ ...good, dims: ['b', 1, 'h', 'w'] }] },
      { ...TRANSFORMERS, inputs: [{ ...good, dims: ['b', 'n', 3, 'h', 'w'] }] },
      { ...TRANSFORMERS, inputs: [good, tensor('extra', [1])] },
      { ...TRANSFORMERS, inputs: [] },
      { ...TRANSFORMERS, outputs: [] },
      { ...TRANSFORMERS, outputs: [tensor('depth', MAP)] },
      { ...TRANSFORMERS, outputs: [tensor('predicted_depth', MAP, 'int64')] },
      { ...TRANSFORMERS, outputs: [tensor('predicted_depth', ['b', 2, 'h', 'w'])] },
    ];
    for (const io of wrong) expect(failure(io).code).toBe('unknown-graph');
    // Control: the graph they were made from is accepted.
    expect(recogniseDepth(TRANSFORMERS).family).toBe('depth');
  });
});

test('axes: which are free, under which name, and which are fixed', () => {
  const io = { ...RELEASE, inputs: [tensor('image', [1, 3, 518, ''])] };
  expect(depthAxes(io, recogniseDepth(io))).toEqual({
    batch: { size: 1 },
    height: { size: 518 },
    width: { free: true, name: '' },
  });
  expect(depthAxes(RELEASE, recogniseDepth(RELEASE)).batch).toEqual({ free: true, name: 'batch' });
});
