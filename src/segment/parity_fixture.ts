/** The tiny random SAM 3 in test/fixtures/segment-parity, and what transformers gives with it. */
import { join } from 'node:path';
import type { Backend, Model } from '../compute/backend.ts';
import type { TypedArray } from '../compute/tensor.ts';
import { decodeImage } from '../media/image.ts';
import { decodeNpy } from '../media/npy.ts';
import { countsFromString } from '../media/rle.ts';
import { maskFromCounts } from '../media/rle_pixels.ts';
import type { SegmentModel } from '../models/segment_contracts.ts';
import type { CornerBox, SegmentedMask, SegmentPrompt } from '../sam/types.ts';
import type { SegmentTask } from './task.ts';

const folder = join(import.meta.dir, '../../test/fixtures/segment-parity');

interface WirePrompt {
  readonly points?: readonly (readonly [number, number])[];
  readonly labels?: readonly (0 | 1)[];
  /** [cx, cy, w, h], as all boxes of the fixture. */
  readonly box?: readonly number[];
  readonly boxes?: readonly (readonly number[])[];
  readonly mask_from?: string;
}

export interface ConceptCase {
  readonly name: string;
  readonly kind: 'concept';
  readonly prompt: WirePrompt;
  readonly input_ids: readonly number[];
  readonly attention_mask: readonly number[];
  readonly pred_logits: readonly number[];
  readonly presence_logits: readonly number[];
  readonly threshold: number;
  /** Queries above the threshold, in the graph's order, as the arrays that follow. */
  readonly kept: readonly number[];
  readonly scores: readonly number[];
  readonly kept_masks: string;
  readonly rle_logits: readonly string[];
}

export interface ClickCase {
  readonly name: string;
  readonly kind: 'click';
  readonly prompt: WirePrompt;
  readonly iou_scores: readonly number[];
  readonly best_iou: number;
  readonly best_mask: string;
  readonly rle: string;
}

interface Manifest {
  readonly image: { readonly file: string; readonly width: number; readonly height: number };
  readonly image_size: number;
  readonly cases: readonly (ConceptCase | ClickCase)[];
}

const manifest = (await Bun.file(join(folder, 'manifest.json')).json()) as Manifest;

const size = { width: manifest.image.width, height: manifest.image.height };
export const conceptCases = manifest.cases.filter(
  (one): one is ConceptCase => one.kind === 'concept',
);
/** Without the one that starts from a mask, which no prompt on an image does. */
export const clickCases = manifest.cases.filter(
  (one): one is ClickCase => one.kind === 'click' && !one.prompt.mask_from,
);

const photo = await decodeImage(await Bun.file(join(folder, manifest.image.file)).bytes(), {
  maxBytes: 1e6,
  maxPixels: 1e6,
});

/** The photograph's pixels, the caller's own. */
export function pixels(): Uint8Array<ArrayBuffer> {
  return photo.data.slice();
}

export async function array(name: string): Promise<Float32Array> {
  return decodeNpy(await Bun.file(join(folder, name)).bytes()).data as Float32Array;
}

export function source(file: string, within = folder) {
  return { name: 'tiny', file: join(within, file), version: 1, bytes: 1 };
}

export const tiny: SegmentModel = {
  name: 'tiny',
  family: 'single-backbone',
  imageSize: manifest.image_size,
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
  encoder: source('vision-encoder.onnx'),
  concept: { text: source('text-encoder.onnx'), decoder: source('concept-decoder.onnx') },
  click: { decoder: source('click-decoder.onnx') },
  video: null,
};

function corners([cx, cy, w, h]: readonly number[]): CornerBox {
  return [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2];
}

function promptOf(one: ConceptCase | ClickCase): SegmentPrompt {
  const { prompt } = one;
  if (one.kind === 'concept') {
    const exemplars = (prompt.boxes ?? []).map((box, i) => ({
      box: corners(box),
      positive: prompt.labels?.[i] === 1,
    }));
    const { input_ids: inputIds, attention_mask: attentionMask } = one;
    return { type: 'concept', inputIds, attentionMask, exemplars };
  }
  const { points = [], labels = [], box } = prompt;
  return { type: 'click', points, labels, box: box ? corners(box) : null };
}

export function task(
  cases: readonly (ConceptCase | ClickCase)[],
  changes: Partial<SegmentTask> = {},
): SegmentTask {
  const [first] = cases;
  return {
    model: tiny,
    pixels: pixels(),
    size,
    imageKey: 'photo',
    prompts: cases.map(promptOf),
    threshold: first?.kind === 'concept' ? first.threshold : 0,
    ...changes,
  };
}

/** Intersection over union of a mask and one of transformers'. */
export function iou({ counts }: SegmentedMask, rle: string): number {
  const actual = maskFromCounts(counts, size.height, size.width);
  const expected = maskFromCounts(countsFromString(rle), size.height, size.width);
  let both = 0;
  let either = 0;
  for (let i = 0; i < actual.length; i++) {
    both += actual[i] & expected[i];
    either += actual[i] | expected[i];
  }
  return either === 0 ? 1 : both / either;
}

/** What the graphs of a backend gave, run by run. */
export interface Recorded {
  readonly file: string;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly outputs: Readonly<Record<string, TypedArray>>;
}

/** The same backend, with each run of a graph written down. */
export function recording(backend: Backend): { backend: Backend; runs: Recorded[] } {
  const runs: Recorded[] = [];
  const watch = (model: Model, file: string): Model =>
    new Proxy(model, {
      get(target, key) {
        if (key !== 'run') return bound(target, key);
        return async (...[feeds, wanted]: Parameters<Model['run']>) => {
          const results = await target.run(feeds, wanted);
          const outputs: Record<string, TypedArray> = {};
          for (const name of wanted) outputs[name] = await backend.download(results[name]);
          const shapes = Object.fromEntries(
            Object.entries(feeds).map(([name, { dims }]) => [name, dims]),
          );
          runs.push({ file: file.split('/').at(-1) ?? file, shapes, outputs });
          return results;
        };
      },
    });
  const watched = new Proxy(backend, {
    get(target, key) {
      if (key !== 'openModel') return bound(target, key);
      return async (...[path, options]: Parameters<Backend['openModel']>) =>
        watch(await target.openModel(path, options), path);
    },
  });
  return { backend: watched, runs };
}

function bound<T extends object>(target: T, key: string | symbol): unknown {
  const value = Reflect.get(target, key) as unknown;
  return typeof value === 'function' ? value.bind(target) : value;
}
