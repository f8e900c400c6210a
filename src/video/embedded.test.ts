/** What the card of segment-mini promises of video, through the server's tracker, on a held-out clip. */
import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { join } from 'node:path';
import sharp from 'sharp';
import { devices } from '../../test/devices.ts';
import type { Backend } from '../compute/backend.ts';
import type { Tensor } from '../compute/tensor.ts';
import { decodeImage } from '../media/image.ts';
import { maskFromCounts } from '../media/rle_pixels.ts';
import { OpenModels } from '../models/open_models.ts';
import { openStore } from '../models/store.ts';
import { SegmentModels } from '../sam/models.ts';
import type { TrackedObject } from './track/answer.ts';
import type { VideoFrame } from './track/frame_features.ts';
import { Tracker } from './track/tracker.ts';
import { trackerModel } from './tracker_model.ts';

setDefaultTimeout(120_000);

/** test/fixtures/segment-mini-clip/README.md */
interface Expected {
  readonly frames: number;
  readonly width: number;
  readonly height: number;
  readonly j: number;
  readonly tracks: readonly {
    readonly object: number;
    readonly point: readonly [number, number];
    readonly j: number;
    readonly still: number;
  }[];
}

const folder = join(import.meta.dir, '../../test/fixtures/segment-mini-clip');
const expected = (await Bun.file(join(folder, 'expected.json')).json()) as Expected;
const { frames, width, height, tracks } = expected;
const clip = await decodeImage(await Bun.file(join(folder, 'clip.jpg')).bytes(), {
  maxBytes: 1e6,
  maxPixels: 1e6,
});
/** 0 nothing, k + 1 object k; [frames, height, width]. */
const labels = await sharp(join(folder, 'clip.png')).extractChannel(0).raw().toBuffer();
const { model } = new SegmentModels(openStore(), { strict: false, checkpoint: null }).findForVideo(
  'segment-mini',
  'cpu',
);

function frameOf(index: number): VideoFrame {
  const bytes = width * height * 3;
  const pixels = clip.data.slice(index * bytes, (index + 1) * bytes);
  return { pixels, size: { width, height } };
}

/** Intersection over union of an answer and an object on a frame; 1 where both are nothing. */
function iou({ counts }: TrackedObject, frame: number, object: number): number {
  const mask = maskFromCounts(counts, height, width);
  const truth = labels.subarray(frame * width * height, (frame + 1) * width * height);
  let both = 0;
  let either = 0;
  for (let i = 0; i < mask.length; i++) {
    const is = Number(truth[i] === object + 1);
    both += mask[i] & is;
    either += mask[i] | is;
  }
  return either === 0 ? 1 : both / either;
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

// SwiftShader takes minutes for a clip; its answers are held to the CPU's below.
const quick = devices.filter(([, backend]) => !backend.info.software);
if (quick.length < devices.length) console.warn('SKIPPED segment-mini’s video on software');

describe.each(quick)('segment-mini follows objects on %s', (_, backend) => {
  test('through motion and past a frame on which one is hidden, as well as its trainers saw', async () => {
    const tracker = new Tracker(backend, new OpenModels(backend), trackerModel(model), { frames });
    try {
      const first: TrackedObject[] = [];
      for (const { point } of tracks) {
        const prompt = { points: [point], labels: [1] as const, box: null };
        first.push(await tracker.addPrompt(0, frameOf(0), prompt));
      }
      const found: TrackedObject[][] = [];
      for (let frame = 1; frame < frames; frame++) {
        found.push(await tracker.step(frame, frameOf(frame), 1));
      }
      const js = tracks.map(({ object }, i) =>
        mean(found.map((objects, at) => iou(objects[i], at + 1, object))),
      );
      js.forEach((j, i) => {
        expect(Math.abs(j - tracks[i].j)).toBeLessThan(0.03);
      });
      expect(mean(js)).toBeGreaterThan(expected.j - 0.02);
      // Control: the objects move so much that the first frame's masks don't do.
      const still = tracks.map(({ object }, i) =>
        mean(found.map((_, at) => iou(first[i], at + 1, object))),
      );
      expect(mean(still)).toBeLessThan(mean(js) - 0.2);
      // Control: each is told from the other.
      const swapped = tracks.map((_, i) =>
        mean(found.map((objects, at) => iou(objects[i], at + 1, tracks[1 - i].object))),
      );
      expect(mean(swapped)).toBeLessThan(0.4);
    } finally {
      tracker.dispose();
    }
  });
});

/** Made up, but as large as real ones: a prompted frame, the one before, and an empty slot. */
function memories(): Record<string, { values: Float32Array; dims: number[] }> {
  const wave = (dims: number[], pace: number) => ({
    values: Float32Array.from(
      { length: dims.reduce((a, b) => a * b, 1) },
      (_, i) => Math.sin(pace * i) + 0.3 * Math.cos(7.3 * pace * i),
    ),
    dims,
  });
  const given = (values: number[], dims: number[]) => ({ values: Float32Array.from(values), dims });
  return {
    tracker_feat: wave([1, 64, 24, 24], 0.37),
    mask_logits: wave([1, 1, 96, 96], 0.011),
    object_score_logits: given([3], [1, 1]),
    is_mask_from_points: given([0], [1]),
    memory_rows: given([6, 0, -1], [1, 3]),
    object_pointers: wave([1, 4, 64], 0.71),
    pointer_offsets: given([0.2, 0.1, 0, -1], [1, 4]),
  };
}

/** `memory_features` of a frame, and `fused_feat` of one that remembers it. */
async function remembered(backend: Backend): Promise<[Float32Array, Float32Array]> {
  const models = new OpenModels(backend);
  const { memoryEncoder, memoryAttention } = trackerModel(model);
  const all = Object.entries(memories()).map(([name, { values, dims }]) => [
    name,
    backend.upload(values, dims),
  ]);
  const inputs: Record<string, Tensor> = Object.fromEntries(all);
  const take = (names: string[]) => Object.fromEntries(names.map((name) => [name, inputs[name]]));
  const encoder = await models.get(memoryEncoder);
  const masks = ['mask_logits', 'object_score_logits', 'is_mask_from_points'];
  const { memory_features } = await encoder.run(take(['tracker_feat', ...masks]), [
    'memory_features',
  ]);
  const memory = await backend.download(memory_features as Tensor<'float32'>);
  const three = Float32Array.from([...memory, ...memory, ...memory]);
  inputs.memory_features = backend.upload(three, [1, 3, 48, 24, 24]);
  const attention = await models.get(memoryAttention);
  const pointers = ['memory_rows', 'object_pointers', 'pointer_offsets'];
  const { fused_feat } = await attention.run(
    take(['tracker_feat', 'memory_features', ...pointers]),
    ['fused_feat'],
  );
  const fused = await backend.download(fused_feat as Tensor<'float32'>);
  backend.release(memory_features, fused_feat, ...Object.values(inputs));
  return [memory, fused];
}

const reference = devices.find(([name]) => name === 'cpu')?.[1];
const others = devices.filter(([name]) => name !== 'cpu');

test.each(others)('segment-mini’s memory on %s is the CPU’s', async (_, backend) => {
  const wanted = await remembered(reference as Backend);
  const found = await remembered(backend);
  found.forEach((values, output) => {
    const largest = wanted[output].reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    const off = values.reduce((a, b, i) => Math.max(a, Math.abs(b - wanted[output][i])), 0);
    expect(largest).toBeGreaterThan(0.5);
    expect(off / largest).toBeLessThan(1e-3);
  });
});
