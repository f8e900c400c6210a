/**
 * The pipeline gives what transformers gives: a tiny randomly initialised Depth Anything, relative
 * and metric, run in PyTorch by models/export/make_depth_parity.py with the official OpenCV
 * preprocessing, against our whole path from the picture's bytes, on every backend.
 */
import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { join } from 'node:path';
import { IMAGENET, imageToTensor, normalisation } from '../../kernels/image-to-tensor/kernel.ts';
import { devices } from '../../test/devices.ts';
import { maxAbsoluteError } from '../../test/numbers.ts';
import { outputOf } from '../../test/outcomes.ts';
import type { Backend } from '../compute/backend.ts';
import { withTensors } from '../compute/scope.ts';
import { decodeImage, type RgbImage } from '../media/image.ts';
import { decodeNpy } from '../media/npy.ts';
import { OpenModels } from '../models/open_models.ts';
import { depthInputSize, type Size } from './input_size.ts';
import { describeGraph } from './models.ts';
import { runDepth } from './pipeline.ts';
import type { DepthTask, Intrinsics } from './task.ts';

// A software rasteriser compiles an attention graph in tens of seconds on a busy machine.
setDefaultTimeout(180_000);

interface Case {
  readonly name: string;
  readonly onnx: string;
  readonly kind: 'metric' | 'relative';
  readonly maxDepth: number | null;
  readonly image: string;
  readonly imageSize: Size;
  readonly modelInputSize: number;
  readonly modelSize: Size;
  readonly intrinsics: Intrinsics | null;
  readonly files: {
    readonly pixelValues: string;
    readonly depth: string;
    readonly points?: string;
  };
}

const folder = join(import.meta.dir, '../../test/fixtures/depth-parity');
const { cases } = (await Bun.file(join(folder, 'manifest.json')).json()) as { cases: Case[] };

async function array(name: string): Promise<Float32Array> {
  return decodeNpy(await Bun.file(join(folder, name)).bytes()).data as Float32Array;
}

async function picture(name: string): Promise<RgbImage> {
  const bytes = await Bun.file(join(folder, name)).bytes();
  return decodeImage(bytes, { maxBytes: 1e6, maxPixels: 1e6 });
}

function task({ onnx, kind, intrinsics, modelSize }: Case, image: RgbImage): DepthTask {
  const { graph } = describeGraph({ file: join(folder, onnx), name: onnx, kind, hints: {} });
  const cloud = intrinsics && { intrinsics, stride: 1, depthRange: null, colors: false };
  const size = { width: image.width, height: image.height };
  return { graph, pixels: image.data.slice(), size, inputSize: modelSize, depthScale: 1, cloud };
}

/** Largest |a − b| / |b|, with |b| at least a hundredth of the map's largest value. */
function relativeError(actual: Float32Array, expected: Float32Array): number {
  const floor = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 100;
  return actual.reduce((worst, value, i) => {
    const error = Math.abs(value - expected[i]) / Math.max(Math.abs(expected[i]), floor);
    return Math.max(worst, error); // NaN stays NaN, which passes no bound
  }, 0);
}

async function preprocess(backend: Backend, image: RgbImage, size: Size) {
  return withTensors(backend, async (keep) => {
    const input = keep(backend.upload(image.data, [image.height, image.width, 3]));
    const output = keep(backend.empty('float32', [1, 3, size.height, size.width]));
    backend.run(imageToTensor, [input, output], {
      src_width: image.width,
      src_height: image.height,
      dst_width: size.width,
      dst_height: size.height,
      dst_offset: 0,
      cubic: 1,
      ...normalisation(IMAGENET),
    });
    return backend.download(output);
  });
}

test('input sizes follow the official rule', async () => {
  const { rows } = (await Bun.file(join(folder, 'sizes.json')).json()) as { rows: number[][] };
  expect(rows.length).toBeGreaterThan(200);
  for (const [width, height, size, targetWidth, targetHeight] of rows) {
    const target = { width: targetWidth, height: targetHeight };
    expect(depthInputSize({ width, height }, size)).toEqual(target);
  }
});

describe.each(devices)('parity on %s', (_, backend) => {
  const models = new OpenModels(backend);

  test.each(cases)('$name: preprocessing is that of OpenCV', async (one) => {
    const image = await picture(one.image);
    const size = depthInputSize(one.imageSize, one.modelInputSize);
    expect(size).toEqual(one.modelSize);
    const actual = await preprocess(backend, image, size);
    const error = maxAbsoluteError(actual, await array(one.files.pixelValues));
    expect(error).toBeLessThan(1e-3);
  });

  test.each(cases)('$name: depth is that of transformers', async (one) => {
    const image = await picture(one.image);
    const [outcome] = await runDepth(backend, models, [task(one, image)]);
    const expected = await array(one.files.depth);
    const output = outputOf(outcome);
    expect(relativeError(output.depth, expected)).toBeLessThan(1e-3);
    if (!one.files.points || !output.points) return;
    expect(relativeError(output.points, await array(one.files.points))).toBeLessThan(1e-3);
  });

  test('a size that keeps coming, captured on WebGPU, still gives that of transformers', async () => {
    const one = cases.find(({ kind }) => kind === 'metric') as Case;
    const image = await picture(one.image);
    const expected = await array(one.files.depth);
    for (let round = 0; round < 5; round++) {
      const [outcome] = await runDepth(backend, models, [task(one, image)]);
      expect(relativeError(outputOf(outcome).depth, expected)).toBeLessThan(1e-3);
    }
  });

  test('control: another picture is told apart', async () => {
    const [one] = cases;
    const image = await picture(one.image);
    image.data.fill(90, 0, image.data.length / 8);
    const [outcome] = await runDepth(backend, models, [task(one, image)]);
    expect(relativeError(outputOf(outcome).depth, await array(one.files.depth))).toBeGreaterThan(
      0.01,
    );
  });

  test('a batch gives what its images give alone', async () => {
    const one = cases.find(({ kind }) => kind === 'metric') as Case;
    const first = await picture(one.image);
    const second = { ...first, data: first.data.map((value) => 255 - value) };
    const run = async (...tasks: DepthTask[]) =>
      (await runDepth(backend, models, tasks)).map((outcome) => outputOf(outcome).depth);
    const alone = [...(await run(task(one, first))), ...(await run(task(one, second)))];
    const batch = await run(task(one, first), task(one, second));
    expect(maxAbsoluteError(batch[0], alone[0])).toBeLessThan(1e-3);
    expect(maxAbsoluteError(batch[1], alone[1])).toBeLessThan(1e-3);
    expect(maxAbsoluteError(alone[0], alone[1])).toBeGreaterThan(0.1);
  });

  test('a task that fails in a batch fails alone', async () => {
    const one = cases.find(({ kind }) => kind === 'metric') as Case;
    const image = await picture(one.image);
    const poisoned = { ...task(one, image), depthScale: Number.POSITIVE_INFINITY };
    const [bad, good] = await runDepth(backend, models, [poisoned, task(one, image)]);
    expect(() => outputOf(bad)).toThrow('not finite');
    expect(relativeError(outputOf(good).depth, await array(one.files.depth))).toBeLessThan(1e-3);
  });

  test('nothing is left on the device', async () => {
    const before = backend.memory().usedBytes;
    // Past the point from which a size is captured, with buffers of its own.
    for (let round = 0; round < 3; round++) {
      for (const one of cases) {
        await runDepth(backend, models, [task(one, await picture(one.image))]);
      }
    }
    const open = backend.memory().usedBytes;
    for (const one of cases) {
      await runDepth(backend, models, [task(one, await picture(one.image))]);
    }
    expect(backend.memory().usedBytes).toBe(open);
    expect(open).toBeGreaterThanOrEqual(before);
  });
});
