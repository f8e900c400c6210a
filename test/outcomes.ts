import type { TaskOutcome } from '../src/engine/task.ts';

/** What a task of a batch gave; throws what it threw. */
export function outputOf<O>(outcome: TaskOutcome<O>): O {
  if ('error' in outcome) throw outcome.error;
  return outcome.output;
}
