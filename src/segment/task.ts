import type { TaskKind } from '../engine/task.ts';
import type { ImageTask, SegmentedMask, SegmentPrompt } from '../sam/types.ts';

/** Prompts on one image, all answered by one model. */
export interface SegmentTask extends ImageTask {
  readonly prompts: readonly SegmentPrompt[];
  /** Masks of a lower score are left out, in [0, 1]. */
  readonly threshold: number;
}

export interface SegmentOutput {
  /** In the order of the prompts, within one the best score first. */
  readonly masks: readonly SegmentedMask[];
  /** Whether the image's features were there already. */
  readonly cacheHit: boolean;
}

/** Requests run one by one: the features of an image are shared through the cache instead. */
export const segmentTask: TaskKind<SegmentTask, SegmentOutput> = {
  name: 'segment',
  maxBatch: 1,
  batchKey: () => null,
  affinity: ({ model, imageKey }) => `${model.name} ${imageKey}`,
};
