import type { Backend } from '../../compute/backend.ts';
import type { Tensor } from '../../compute/tensor.ts';
import type { ModelSource, OpenModels } from '../../models/open_models.ts';
import { shapesOf } from '../../sam/feeds.ts';
import type { TrackerModel } from './model.ts';

/** What the tracker computes with. */
export interface TrackerEngine {
  readonly backend: Backend;
  readonly models: OpenModels;
  readonly model: TrackerModel;
}

export type Keep = <T extends Tensor>(tensor: T) => T;

/**
 * Runs a graph whose outputs are all float32; they live as long as the scope.
 *
 * @param lasting whether these shapes will keep coming, so that a graph may be captured for them
 */
export async function runGraph<const N extends string>(
  { models }: TrackerEngine,
  source: ModelSource,
  feeds: Readonly<Record<string, Tensor>>,
  wanted: readonly N[],
  keep: Keep,
  lasting = true,
): Promise<Record<N, Tensor<'float32'>>> {
  const graph = await (lasting ? models.getForShapes(source, shapesOf(feeds)) : models.get(source));
  const results = await graph.run(feeds, wanted);
  for (const name of wanted) keep(results[name]);
  return results as Record<N, Tensor<'float32'>>;
}

/** @throws Error for scores that are no numbers. */
export function requireFinite({ name }: TrackerModel, ...scores: readonly Float32Array[]): void {
  const wrong = scores.flatMap((some) => [...some]).find((score) => !Number.isFinite(score));
  if (wrong === undefined) return;
  throw new Error(
    `${name} gave a score that is not finite (${wrong}): its file may be damaged, or half precision overflowed; use one in float32`,
  );
}

/** Uploads float32 values for the length of the scope. */
export function uploadFloats(
  { backend }: TrackerEngine,
  values: ArrayLike<number>,
  dims: readonly number[],
  keep: Keep,
): Tensor {
  return keep(backend.upload(Float32Array.from(values), dims));
}
