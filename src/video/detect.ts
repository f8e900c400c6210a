import { maskFromCounts } from '../media/rle_pixels.ts';
import type { SegmentModel } from '../models/segment_contracts.ts';
import { adapterOf } from '../sam/adapters/adapter.ts';
import { segmentConcepts } from '../sam/concept.ts';
import type { HeadEngine } from '../sam/run.ts';
import { StageTimes } from '../sam/stage_times.ts';
import type { ConceptPrompt, SegmentedMask } from '../sam/types.ts';
import type { FramePixels } from './task.ts';
import type { GivenMask } from './track/mask_prompt.ts';
import type { Tracker } from './track/tracker.ts';

/** What texts are found with. */
export interface Detector {
  readonly engine: HeadEngine;
  readonly model: SegmentModel;
  /** Encodes the frame, which it then has for itself too. */
  readonly tracker: Tracker;
}

/**
 * Every instance of some concepts on a frame; `prompt` is the place among `concepts`.
 *
 * @throws Error for a model that takes no concepts
 */
export function detectConcepts(
  { engine, model, tracker }: Detector,
  frame: FramePixels,
  concepts: readonly ConceptPrompt[],
  threshold: number,
): Promise<SegmentedMask[]> {
  const { concept } = model;
  const adapter = adapterOf(model).concept;
  if (!concept || !adapter) throw new Error(`${model.name} takes no texts`);
  const { index, size } = frame;
  const prompts = concepts.map((prompt, number) => ({ number, prompt }));
  return tracker.lendFeatures(index, frame, adapter.features, (features) => {
    const task = { model, size, threshold };
    const run = { ...engine, times: new StageTimes(), features, task };
    return segmentConcepts(run, adapter, concept, prompts);
  });
}

/** A found mask as one that an object starts from. */
export function givenMask(
  { counts }: Pick<SegmentedMask, 'counts'>,
  { size: { width, height } }: FramePixels,
): GivenMask {
  return { data: maskFromCounts(counts, height, width), width, height };
}
