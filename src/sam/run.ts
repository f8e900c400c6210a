import type { Backend } from '../compute/backend.ts';
import type { OpenModels } from '../models/open_models.ts';
import type { FeatureCache, NamedTensors } from './feature_cache.ts';
import type { StageTimes } from './stage_times.ts';
import type { ImageTask } from './types.ts';

/** What the heads run with; it lives as long as the engine. */
export interface HeadEngine {
  readonly backend: Backend;
  readonly models: OpenModels;
  /** Features of texts. */
  readonly texts: FeatureCache;
  /** Called between runs of a decoder, of which a task may need many. */
  readonly progress: () => void;
}

/** The same for pictures that come again. */
export interface SegmentEngine extends HeadEngine {
  /** Features of images. */
  readonly images: FeatureCache;
}

/** Prompts on their way through the heads, their image encoded. */
export interface SegmentRun extends HeadEngine {
  readonly task: Pick<ImageTask, 'model' | 'size'> & {
    /** Masks of a lower score are left out, in [0, 1]. */
    readonly threshold: number;
  };
  readonly features: NamedTensors;
  readonly times: StageTimes;
}

/** Those of a task's prompts that one head answers, with their places in the task. */
export type Numbered<P> = { readonly number: number; readonly prompt: P };

/** Lists of at most `size` items, in order. */
export function chunks<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, i) => items.slice(i * size, (i + 1) * size));
}

/** Only these of the features. */
export function pick(features: NamedTensors, names: readonly string[]): NamedTensors {
  return Object.fromEntries(names.map((name) => [name, features[name]]));
}
