/** The tiny random SAM 2 in test/fixtures/segment-contracts, and what transformers gives with it. */
import { join } from 'node:path';
import type { SegmentModel } from '../models/segment_contracts.ts';
import type { ClickPrompt } from '../sam/types.ts';
import { source } from './parity_fixture.ts';

const folder = join(import.meta.dir, '../../test/fixtures/segment-contracts');

interface TrackerCase {
  readonly name: string;
  /** Normalised; the box is [cx, cy, w, h]. */
  readonly prompt: Partial<Pick<ClickPrompt, 'points' | 'labels'>> & {
    readonly box?: readonly number[];
  };
  readonly iou_scores: readonly number[];
  /** Logits of the mask with the best score. */
  readonly best_mask: readonly number[];
  readonly rle: string;
}

interface Manifest {
  readonly image_size: number;
  readonly mean: SegmentModel['mean'];
  readonly std: SegmentModel['std'];
  readonly cases: readonly TrackerCase[];
}

const manifest = (await Bun.file(join(folder, 'manifest.json')).json()) as Manifest;

export const trackerCases = manifest.cases;

export const tinyTracker: SegmentModel = {
  name: 'tiny-sam2',
  family: 'transformers-tracker',
  imageSize: manifest.image_size,
  mean: manifest.mean,
  std: manifest.std,
  encoder: source('vision_encoder.onnx', folder),
  concept: null,
  click: { decoder: source('prompt_encoder_mask_decoder.onnx', folder) },
  video: null,
};

export function trackerPrompt({ prompt }: TrackerCase): ClickPrompt {
  const { points = [], labels = [], box } = prompt;
  if (!box) return { type: 'click', points, labels, box: null };
  const [cx, cy, w, h] = box;
  return { type: 'click', points, labels, box: [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2] };
}
