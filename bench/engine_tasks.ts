import type { TaskKind } from '../src/engine/task.ts';

interface Exchange {
  /** Goes to the engine and stays there, like a request's pixels. */
  readonly input: Uint8Array;
  /** Comes back, like its depth. */
  readonly output: Float32Array;
}

/** Sends buffers over and back without computing. */
export const exchangeTask: TaskKind<Exchange, Float32Array<ArrayBuffer>> = {
  name: 'exchange',
  maxBatch: 1,
  batchKey: () => null,
};

/** Collects the engine thread's garbage. */
export const collectTask: TaskKind<null, null> = {
  name: 'collect',
  maxBatch: 1,
  batchKey: () => null,
};
