import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import {
  fillWeights,
  type MaterialisedGraph,
  materialiseRandomGraph,
  readRandomGraphs,
  type WeightRun,
} from './random_weights.ts';

const FLOAT32: WeightRun = { offset: 64, bytes: 4e5, type: 'float32', mean: 0.5, deviation: 0.02 };
const NAME = 'depth-vits';
const FLOAT16: WeightRun = { ...FLOAT32, type: 'float16' };

function elements(run: WeightRun): readonly number[] {
  const { buffer } = fillWeights(run, run.offset, run.bytes);
  return [...(run.type === 'float32' ? new Float32Array(buffer) : new Float16Array(buffer))];
}

function moments(values: ArrayLike<number>): { mean: number; deviation: number } {
  const all = Array.from(values);
  const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
  const variance = all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length;
  return { mean, deviation: Math.sqrt(variance) };
}

describe('fillWeights', () => {
  test.each([FLOAT32, FLOAT16])('has the wanted mean and deviation ($type)', (run) => {
    const { mean, deviation } = moments(elements(run));
    // 100,000 elements or more: the mean's own deviation is below 1e-4.
    expect(Math.abs(mean - 0.5)).toBeLessThan(4e-4);
    expect(Math.abs(deviation - 0.02)).toBeLessThan(2e-4);
  });

  test('gives the same bytes in pieces as at once', () => {
    const whole = fillWeights(FLOAT32, 64, 4096);
    expect(fillWeights(FLOAT32, 64 + 1024, 512)).toEqual(whole.subarray(1024, 1536));
    expect(fillWeights(FLOAT32, 64 + 1028, 512)).not.toEqual(whole.subarray(1024, 1536));
  });

  test('writes halves that are the nearest to the exact value', () => {
    const exact = elements(FLOAT32).slice(0, 100);
    // Elements lie twice as densely: those at even indices share their byte offset.
    const halves = elements(FLOAT16).filter((_, index) => index % 2 === 0);
    for (const [index, value] of exact.entries()) {
      expect(Math.abs(halves[index] - value)).toBeLessThanOrEqual(2 ** -12 + 1e-7);
    }
  });
});

describe('materialiseRandomGraph', () => {
  let cache: string;
  let graph: MaterialisedGraph;

  beforeAll(async () => {
    cache = await mkdtemp(join(tmpdir(), 'random-graph-'));
    graph = await materialiseRandomGraph(NAME, cache);
  });
  afterAll(() => rm(cache, { recursive: true, force: true }));

  test('runs on onnxruntime and gives the depth that Python saw', async () => {
    const { graphs, probeInput, probeStep } = await readRandomGraphs();
    const { input, output, probe } = graphs[NAME];
    const session = await ort.InferenceSession.create(graph.onnx);
    const image = new Float32Array(
      fillWeights(probeInput, probeInput.offset, probeInput.bytes).buffer,
    );
    const feeds = { [input]: new ort.Tensor('float32', image, [1, 3, 518, 518]) };
    const depth = (await session.run(feeds))[output];
    await session.release();
    expect(depth.dims).toEqual([1, 518, 518]);

    const values = depth.data as Float32Array;
    const { mean, deviation } = moments(values);
    expect(deviation).toBeGreaterThan(1);
    expect(Math.abs(mean - probe.mean)).toBeLessThan(1e-3);
    expect(Math.abs(deviation - probe.deviation)).toBeLessThan(1e-3);
    // Metres up to 20. Sums in another order differ by a few 1e-5.
    for (const [index, expected] of probe.values.entries()) {
      expect(Math.abs(values[index * probeStep] - expected)).toBeLessThan(2e-3);
    }
  });

  test('reuses what is there, and mends a data file of the wrong size', async () => {
    const before = await stat(graph.data);
    expect(await materialiseRandomGraph(NAME, cache)).toEqual(graph);
    expect((await stat(graph.data)).ino).toBe(before.ino);

    await truncate(graph.data, before.size - 1);
    await materialiseRandomGraph(NAME, cache);
    expect((await stat(graph.data)).size).toBe(before.size);
    expect((await readdir(join(graph.onnx, '..'))).length).toBe(2);
  });

  test('names the graphs that exist when asked for another', async () => {
    await expect(materialiseRandomGraph('depth-vitx', cache)).rejects.toThrow(
      /"depth-vitx".*depth-vits/,
    );
    await expect(materialiseRandomGraph('constructor', cache)).rejects.toThrow(RangeError);
  });

  test('covers every data file by runs without gaps', async () => {
    const { graphs } = await readRandomGraphs();
    for (const { runs, dataBytes } of Object.values(graphs)) {
      const end = runs.reduce((offset, run) => {
        expect(run.offset).toBe(offset);
        return offset + run.bytes;
      }, 0);
      expect(end).toBe(dataBytes);
    }
  });
});
