import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { ModelError } from './errors.ts';
import { encodeDepthModel, encodeOnnx, type FixtureModel } from './onnx_fixture.ts';
import { parseOnnxHeader, readOnnxHeader } from './onnx_header.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'triptych-onnx-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Linux counts here what a process asked to read, from the cache or not. */
const IO_COUNTERS = '/proc/self/io';
if (!existsSync(IO_COUNTERS)) console.warn(`skipped: reads are counted by ${IO_COUNTERS} only`);

function bytesRead(): number {
  return Number(/^rchar: (\d+)/m.exec(readFileSync(IO_COUNTERS, 'utf8'))?.[1]);
}

/** The error that reading gives, or undefined. Anything but a ModelError fails the test. */
function failure(read: () => unknown): ModelError | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(ModelError);
    return error as ModelError;
  }
}

const EVERYTHING: FixtureModel = {
  inputs: [
    { name: 'image', dims: ['batch', 3, 518, ''] },
    { name: 'scale', dtype: 10, dims: [] },
    { name: 'weights', dims: [2, 3] },
  ],
  outputs: [{ name: 'ids', dtype: 7, dims: [1, 'n'] }, { name: 'unsaid' }],
  nodes: [
    { operator: 'Softmax', inputs: ['image'], outputs: ['a'] },
    { operator: 'MatMul', inputs: ['a', 'weights'], outputs: ['b'] },
    { operator: 'MatMul', inputs: ['b', 'far'], outputs: ['ids'] },
  ],
  weights: [
    { name: 'weights', dims: [2, 3], bytes: new Uint8Array(24) },
    { name: 'far', dims: [4, 5], dtype: 10, externalFile: 'model.onnx_data' },
    { name: 'further', dims: [], dtype: 10, externalFile: 'model.onnx_data' },
  ],
  metadata: { kind: 'metric', max_depth: '20', ключ: '深度' },
  opset: 18,
};

describe('a header', () => {
  test('holds everything that the file says', () => {
    expect(parseOnnxHeader(encodeOnnx(EVERYTHING))).toEqual({
      irVersion: 8,
      producer: 'fixture',
      opsets: { '': 18 },
      metadata: { kind: 'metric', max_depth: '20', ключ: '深度' },
      inputs: [
        { name: 'image', dtype: 'float32', dims: ['batch', 3, 518, ''] },
        { name: 'scale', dtype: 'float16', dims: [] },
      ],
      outputs: [
        { name: 'ids', dtype: 'int64', dims: [1, 'n'] },
        { name: 'unsaid', dtype: 'float32', dims: [] },
      ],
      externalFiles: ['model.onnx_data'],
      operators: ['MatMul', 'Softmax'],
      weightElements: { float32: 6, float16: 21 },
    });
  });

  test('is the one onnxruntime finds', async () => {
    const path = join(folder, 'depth.onnx');
    await writeFile(path, encodeDepthModel({ disparity: true, dims: ['b', 3, 'h', 28] }));
    const session = await ort.InferenceSession.create(path);
    const header = readOnnxHeader(path);
    const seen = (all: readonly ort.InferenceSession.ValueMetadata[]) =>
      all
        .filter((value) => value.isTensor)
        .map(({ name, type, shape }) => ({ name, dtype: String(type), dims: [...shape] }));
    expect<unknown>(seen(session.inputMetadata)).toEqual([...header.inputs]);
    expect<unknown>(seen(session.outputMetadata)).toEqual([...header.outputs]);
    const image = new ort.Tensor(new Float32Array(3 * 14 * 28).fill(0.25), [1, 3, 14, 28]);
    const { disparity } = await session.run({ image });
    expect(disparity.data[0]).toBeCloseTo(0.5, 6);
    await session.release();
  });

  test.skipIf(!existsSync(IO_COUNTERS))('of a 1 GiB file takes under 1 MB of reads', async () => {
    const path = join(folder, 'large.onnx');
    const head = encodeOnnx({ ...EVERYTHING, weights: [] });
    // A second graph field whose only weights are 1 GiB of zeros: protobuf merges the two.
    const size = 2 ** 30;
    const raw = varintBytes(9 * 8 + 2, size);
    const tensor = varintBytes(5 * 8 + 2, raw.length + size);
    const graph = varintBytes(7 * 8 + 2, tensor.length + raw.length + size);
    await writeFile(path, Buffer.concat([head, graph, tensor, raw]));
    await truncate(path, head.length + graph.length + tensor.length + raw.length + size);
    const before = bytesRead();
    expect(readOnnxHeader(path).operators).toEqual(['MatMul', 'Softmax']);
    expect(bytesRead() - before).toBeLessThan(1_000_000);
    await rm(path);
  });
});

function varintBytes(key: number, length: number): Uint8Array {
  const bytes: number[] = [key];
  let rest = length;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Uint8Array.from([...bytes, rest]);
}

describe('what is not an ONNX model', () => {
  test.each([
    ['', 'empty'],
    ['version https://git-lfs.github.com/spec/v1\noid sha256:0\n', 'Git LFS pointer'],
    ['<!DOCTYPE html><html>', 'web page'],
    ['\n<html lang="en">', 'web page'],
    ['hello, this is no model at all', 'not an ONNX model'],
  ])('%j is named for what it is', async (content, named) => {
    const path = join(folder, 'impostor.onnx');
    await writeFile(path, content);
    const error = failure(() => readOnnxHeader(path));
    expect(error?.code).toBe('format');
    expect(error?.message).toContain(named);
    expect(error?.message).toContain(path);
  });

  test('a missing file and a folder are named', () => {
    expect(failure(() => readOnnxHeader(join(folder, 'absent.onnx')))?.code).toBe('not-found');
    expect(failure(() => readOnnxHeader(folder))?.message).toContain('folder');
  });

  test('every truncation is an error, except where only the last, optional parts are lost', () => {
    const whole = encodeDepthModel({ metadata: { kind: 'metric' }, padding: 64 });
    const graphEnd = whole.length - encodeTail().length;
    for (let length = 0; length < graphEnd; length++) {
      expect(failure(() => parseOnnxHeader(whole.subarray(0, length)))?.code).toBe('format');
    }
    expect(failure(() => parseOnnxHeader(whole))).toBeUndefined();
  });

  test('arbitrary bytes give a header or a clear error, never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4096 }), (bytes) => {
        failure(() => parseOnnxHeader(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  test('so do models with bytes changed, removed and repeated', () => {
    const whole = encodeOnnx(EVERYTHING);
    const edit = fc.record({
      at: fc.nat(whole.length - 1),
      remove: fc.nat(8),
      insert: fc.uint8Array({ maxLength: 8 }),
    });
    let failures = 0;
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        const bytes = [...whole];
        for (const { at, remove, insert } of edits) bytes.splice(at, remove, ...insert);
        if (failure(() => parseOnnxHeader(Uint8Array.from(bytes)))) failures++;
      }),
      { numRuns: 2000 },
    );
    // Control: the edits do reach what the reader checks.
    expect(failures).toBeGreaterThan(500);
  });

  test('a graph nested without end is refused', () => {
    let graph = new Uint8Array(0);
    for (let depth = 0; depth < 200; depth++) {
      const attribute = Buffer.concat([varintBytes(6 * 8 + 2, graph.length), graph]);
      const node = Buffer.concat([varintBytes(5 * 8 + 2, attribute.length), attribute]);
      graph = Uint8Array.from(Buffer.concat([varintBytes(8 + 2, node.length), node]));
    }
    const model = Buffer.concat([varintBytes(7 * 8 + 2, graph.length), graph]);
    expect(failure(() => parseOnnxHeader(model))?.message).toContain('nested');
  });

  test('a file of nothing but tiny fields is given up', async () => {
    const bytes = new Uint8Array(10_000_000);
    for (let at = 0; at < bytes.length; at += 2) bytes.set([8, 1], at);
    expect(failure(() => parseOnnxHeader(bytes))?.message).toContain('fields');
  });
});

/** What follows the graph in a fixture: the operator set and the metadata. */
function encodeTail(): Uint8Array {
  const whole = encodeDepthModel({ metadata: { kind: 'metric' }, padding: 64 });
  const bare = encodeDepthModel({ padding: 64 });
  const opset = 2 + 4;
  return whole.subarray(bare.length - opset);
}
