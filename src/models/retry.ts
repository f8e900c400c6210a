import { setTimeout as sleep } from 'node:timers/promises';
import { ModelError } from './errors.ts';

export interface RetryPolicy {
  /** Failures in a row, without progress between them, before giving up. */
  readonly attempts: number;
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
  /** A server that asks to be left alone for longer than this ends the download. */
  readonly longestRetryAfterMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = {
  attempts: 6,
  firstDelayMs: 500,
  longestDelayMs: 30_000,
  longestRetryAfterMs: 300_000,
};

/** A failure that may pass: a dropped connection, a busy server. */
export class PassingFailure extends Error {
  constructor(
    message: string,
    /** What the server asked for in Retry-After. */
    readonly retryAfterMs?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A failed connection as a passing failure; Bun's advice to programmers is left out. */
export function connectionFailure(place: string, cause: unknown): PassingFailure {
  const [what] = (cause instanceof Error ? cause.message : String(cause)).split('. ');
  return new PassingFailure(`${place}: ${what}`, undefined, { cause });
}

/**
 * Milliseconds to wait before the next try: what the server asked for, else exponential with "full
 * jitter" between half and the whole of it, so that many clients don't come back at once.
 *
 * @param failures how many have been counted, 1 for the first
 * @throws ModelError `network` when the server asks for more than the policy allows
 */
export function retryDelay(
  failures: number,
  failure: PassingFailure,
  policy: RetryPolicy,
  random: () => number = Math.random,
): number {
  const asked = failure.retryAfterMs;
  if (asked !== undefined) {
    if (asked <= policy.longestRetryAfterMs) return asked;
    throw new ModelError(
      'network',
      `${failure.message}; the server asks to come back in ${Math.ceil(asked / 1000)} s: run the ` +
        'same command then, it will go on where it stopped',
    );
  }
  const whole = Math.min(policy.firstDelayMs * 2 ** (failures - 1), policy.longestDelayMs);
  return whole * (0.5 + random() / 2);
}

/** Retry-After in milliseconds: seconds or an HTTP date; undefined where it says nothing. */
export function parseRetryAfter(header: string | null, now = Date.now()): number | undefined {
  if (header === null) return undefined;
  const seconds = /^\s*\d+\s*$/.test(header) ? Number(header) : (Date.parse(header) - now) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds * 1000) : undefined;
}

/** Waits; an abort ends the wait with the signal's reason. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch((error: unknown) => {
    throw signal?.reason ?? error;
  });
}
