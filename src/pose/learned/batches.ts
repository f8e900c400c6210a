import type { Backend } from '../../compute/backend.ts';

/**
 * Bytes of a network's largest tensor a hypothesis: its first convolution's output, 64 channels of
 * 80×80 float32 for the rendering and for the observation.
 */
const BYTES_A_HYPOTHESIS = 2 * 64 * 80 * 80 * 4;

/** Hypotheses at once, at most, so that activations take hundreds of megabytes and not thousands. */
const MOST_AT_ONCE = { webgpu: 63, cpu: 12 } as const;

/** How many hypotheses a network's tensors have room for. */
export function roomFor(maxTensorBytes: number): number {
  return Math.max(1, Math.floor(maxTensorBytes / BYTES_A_HYPOTHESIS));
}

/** How many hypotheses the refiner takes at once. */
export function refinerBatch({ info }: Pick<Backend, 'info'>, maxTensorBytes: number): number {
  return Math.min(roomFor(maxTensorBytes), MOST_AT_ONCE[info.kind]);
}

export interface Batch {
  readonly first: number;
  readonly count: number;
}

/** `total` in as few batches of at most `most` as there can be, all about as large: 252 by 40 is 7·36. */
export function evenBatches(total: number, most: number): Batch[] {
  const size = Math.ceil(total / Math.ceil(total / most));
  return Array.from({ length: Math.ceil(total / size) }, (_, index) => ({
    first: index * size,
    count: Math.min(size, total - index * size),
  }));
}
