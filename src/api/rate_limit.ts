import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';
import { HttpError } from './errors.ts';

/** Callers that are remembered; one that is forgotten starts afresh. */
const MAX_CALLERS = 10_000;

const MINUTE_MS = 60_000;

interface Bucket {
  tokens: number;
  filledAt: number;
}

/**
 * A token bucket for each caller: a minute's requests may come at once, after that they come as
 * fast as the bucket fills.
 */
export class RateLimiter {
  private readonly buckets = new LRUCache<string, Bucket>({ max: MAX_CALLERS });

  constructor(
    private readonly perMinute: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * Counts one request.
   *
   * @throws HttpError 429 with the seconds after which there is room again
   */
  take(caller: string): void {
    const now = this.now();
    const { tokens, filledAt } = this.buckets.get(caller) ?? {
      tokens: this.perMinute,
      filledAt: now,
    };
    const refilled = tokens + ((now - filledAt) / MINUTE_MS) * this.perMinute;
    const filled = Math.min(this.perMinute, refilled);
    const isAllowed = filled >= 1;
    this.buckets.set(caller, { tokens: isAllowed ? filled - 1 : filled, filledAt: now });
    if (isAllowed) return;
    const seconds = Math.ceil((((1 - filled) / this.perMinute) * MINUTE_MS) / 1000);
    throw new HttpError(
      429,
      `more than ${this.perMinute} requests a minute: try again in ${seconds} s`,
      { 'Retry-After': String(seconds) },
    );
  }
}

/** Who asks, by address: of IPv6 its network, in which one caller has 2⁶⁴ of them. */
export function callerByAddress(address: string | undefined): string {
  if (!address || !ipaddr.isValid(address)) return 'unknown';
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).join(':') : parsed.toString();
}
