/** What the embedded model's card promises, through the whole pipeline. */
import { describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { outputOf } from '../../test/outcomes.ts';
import { openCpuBackend } from '../compute/cpu/backend.ts';
import { decodeImage } from '../media/image.ts';
import { OpenModels } from '../models/open_models.ts';
import { openStore } from '../models/store.ts';
import { depthInputSize } from './input_size.ts';
import { DepthModels } from './models.ts';
import { runDepth } from './pipeline.ts';

const root = join(import.meta.dir, '../..');
const backend = openCpuBackend();
const models = new OpenModels(backend);
const mini = { encoder: 'mini', dataset: 'hypersim' } as const;

/** Depth in metres of a picture file, at its resolution. */
async function predict(file: string, kind: 'metric' | 'relative' = 'metric') {
  const { graph } = new DepthModels(openStore(), false).find({ ...mini, kind }, 'cpu');
  const bytes = await Bun.file(file).bytes();
  const image = await decodeImage(bytes, { maxBytes: 1e7, maxPixels: 1e7 });
  const size = { width: image.width, height: image.height };
  const inputSize = depthInputSize(size, 518);
  const task = { graph, pixels: image.data, size, inputSize, depthScale: 1, cloud: null };
  const [outcome] = await runDepth(backend, models, [task]);
  return { ...size, depth: outputOf(outcome).depth };
}

/** Millimetres of a 16-bit PNG; 0 is unknown. */
async function truthOf(file: string) {
  const { data, info } = await sharp(file)
    .toColourspace('grey16')
    .raw({ depth: 'ushort' })
    .toBuffer({ resolveWithObject: true });
  const values = new Uint16Array(data.buffer, data.byteOffset, info.width * info.height);
  return { values, width: info.width, height: info.height };
}

/** Predicted and true metres where the truth is known; its pixel (c, r) is the picture's (s·c, s·r). */
async function pairs(picture: string, depth: string, kind: 'metric' | 'relative' = 'metric') {
  const predicted = await predict(picture, kind);
  const truth = await truthOf(depth);
  const step = predicted.width / truth.width;
  const found: [number, number][] = [];
  truth.values.forEach((millimetres, i) => {
    if (millimetres === 0) return;
    const row = Math.floor(i / truth.width) * step;
    const value = predicted.depth[row * predicted.width + (i % truth.width) * step];
    found.push([value, millimetres / 1000]);
  });
  return found;
}

interface Expected {
  readonly scenes: readonly { readonly abs_rel: number; readonly delta1: number }[];
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

function ranks(values: readonly number[]): Float64Array {
  const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b]);
  const rank = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && values[order[end]] === values[order[start]]) end++;
    for (let i = start; i < end; i++) rank[order[i]] = (start + end - 1) / 2;
    start = end;
  }
  return rank;
}

/** Spearman's rank correlation. */
function spearman(found: readonly [number, number][]): number {
  const a = ranks(found.map(([predicted]) => predicted));
  const b = ranks(found.map(([, truth]) => truth));
  const middle = (found.length - 1) / 2;
  let product = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (let i = 0; i < a.length; i++) {
    product += (a[i] - middle) * (b[i] - middle);
    squaresA += (a[i] - middle) ** 2;
    squaresB += (b[i] - middle) ** 2;
  }
  return product / Math.sqrt(squaresA * squaresB);
}

describe('depth-mini on held-out generated scenes', () => {
  const folder = join(root, 'test/fixtures/depth-mini');
  const names = [...new Bun.Glob('*.jpg').scanSync(folder)].sort();
  const scenes = Promise.all(
    names.map((name) => pairs(join(folder, name), join(folder, name.replace('.jpg', '.png')))),
  );

  test('gives the figures that its trainers measured in Python', async () => {
    const errors = (await scenes).map((scene) => mean(scene.map(([p, t]) => Math.abs(p - t) / t)));
    const shares = (await scenes).map((scene) =>
      mean(scene.map(([p, t]) => (Math.max(p / t, t / p) < 1.25 ? 1 : 0))),
    );
    const expected = (await Bun.file(join(folder, 'expected.json')).json()) as Expected;
    expect(names).toHaveLength(expected.scenes.length);
    expected.scenes.forEach((scene, i) => {
      // Two JPEG decoders and two bilinear resizes lie between.
      expect(Math.abs(errors[i] - scene.abs_rel)).toBeLessThan(0.01);
      expect(Math.abs(shares[i] - scene.delta1)).toBeLessThan(0.02);
    });
  });

  test('control: the same depth everywhere does worse', async () => {
    const constant = (await scenes).map((scene) => {
      const middle = mean(scene.map(([, truth]) => truth));
      return mean(scene.map(([, truth]) => Math.abs(middle - truth) / truth));
    });
    expect(mean(constant)).toBeGreaterThan(0.25);
  });

  test('disparity falls where depth rises', async () => {
    const file = names[0];
    const found = await pairs(
      join(folder, file),
      join(folder, file.replace('.jpg', '.png')),
      'relative',
    );
    expect(spearman(found)).toBeLessThan(-0.8);
  });
});

const real = join(root, '../shared/data/depth/open3d');
const hasReal = existsSync(real);
if (!hasReal) console.warn('SKIPPED depth-mini on real frames: ../shared/data/depth is absent');

test.skipIf(!hasReal)('depth-mini orders a real room as its card says', async () => {
  const correlations: number[] = [];
  for (const name of ['00000', '00001', '00002', '00003', '00004']) {
    const found = await pairs(join(real, `color/${name}.jpg`), join(real, `depth/${name}.png`));
    correlations.push(spearman(found));
  }
  const card = await Bun.file(join(root, 'models/embedded/depth-mini.md')).text();
  const stated = Number(/^\| mean \| (\d\.\d+) \|/m.exec(card)?.[1]);
  // Another JPEG decoder lies between.
  expect(Math.abs(mean(correlations) - stated)).toBeLessThan(0.02);
});
