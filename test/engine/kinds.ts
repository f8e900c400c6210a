import type { TaskKind } from '../../src/engine/task.ts';

function alone<I, O>(name: string): TaskKind<I, O> {
  return { name, maxBatch: 1, batchKey: () => null };
}

export const echo: TaskKind<
  { key: string; values: Float32Array },
  { values: Float32Array; batch: number }
> = { name: 'echo', maxBatch: 4, batchKey: ({ key }) => key };
export const sleep = alone<{ ms: number }, number>('sleep');
export const refuse = alone<null, null>('refuse');
export const hang = alone<null, null>('hang');
/** A graph that computes natively for some seconds; the answer is how many milliseconds. */
export const native = alone<null, number>('native');
export const crash = alone<null, null>('crash');
