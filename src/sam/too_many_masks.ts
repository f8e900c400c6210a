/**
 * Masks that one answer holds, at most: each is upsampled, encoded and written in full, and a
 * threshold of 0 asks for all of a detector's hundreds, once a text.
 */
export const MAX_MASKS = 1024;

/** The caller's fault, and said so across the threads by its status. */
export class TooManyMasksError extends Error {
  override readonly name = 'TooManyMasksError';
  readonly status = 422;

  constructor(threshold: number) {
    super(
      `confidence_threshold: more than ${MAX_MASKS} masks reach ${threshold}, and at most ${MAX_MASKS} are given at a time: raise it, or ask for fewer concepts at a time`,
    );
  }
}
