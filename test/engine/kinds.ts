import type { TaskKind } from '../../src/engine/task.ts';

function alone<I, O>(name: string): TaskKind<I, O> {
  return { name, maxBatch: 1, batchKey: () => null };
}

export const echo: TaskKind<
  { key: string; values: Float32Array },
  { values: Float32Array; batch: number }
> = { name: 'echo', maxBatch: 4, batchKey: ({ key }) => key };
/** Sleeps, and gains from the engine that last slept for the same name. */
export const sleepNear: TaskKind<{ name: string; ms: number }, null> = {
  ...alone('sleep-near'),
  affinity: ({ name }) => name,
};
/** Counts its tasks into the engine's figures, and once more after `ms` milliseconds. */
export const count: TaskKind<{ ms: number }, number> = alone('count');
export const sleep = alone<{ ms: number }, number>('sleep');
/** Sleeps `parts` times, and tells the watchdog after each. */
export const sleepInParts = alone<{ ms: number; parts: number }, null>('sleep-in-parts');
export const refuse = alone<null, null>('refuse');
export const hang = alone<null, null>('hang');
/** A graph that computes natively for some seconds; the answer is how many milliseconds. */
export const native = alone<null, number>('native');
export const crash = alone<null, null>('crash');
