import { createHash, timingSafeEqual } from 'node:crypto';
import { Elysia } from 'elysia';
import { HttpError } from './errors.ts';
import { callerByAddress, type RateLimiter } from './rate_limit.ts';

const CHALLENGE = { 'WWW-Authenticate': 'Bearer' };

/** What tells the address of a request's sender; absent where there is no socket. */
interface Socket {
  requestIP(request: Request): { readonly address: string } | null;
}

/**
 * Bearer authentication, when there are keys, of the routes of the plugin that uses this; and the
 * limit on how many requests a key, or without keys an address, may send.
 *
 * It hangs on the routes themselves, not on paths: what a router makes of a path is the router's
 * affair. It comes before the body is read, and else before a bodiless request is validated.
 *
 * @throws HttpError 401, `API key required` or `Invalid API key`; 429 with `Retry-After`
 */
export function authentication(keys: readonly string[], limiter: RateLimiter | null = null) {
  const accepted = keys.map(digest);
  const admitted = new WeakSet<Request>();
  const check = ({ request, server }: { request: Request; server: Socket | null }) => {
    if (admitted.has(request)) return;
    const byAddress = () => callerByAddress(server?.requestIP(request)?.address);
    if (accepted.length === 0) limiter?.take(byAddress());
    else {
      const key = bearerKey(request);
      const isKnown = key !== null && isAccepted(key, accepted);
      // Guesses at keys are counted where they come from.
      limiter?.take(isKnown ? `key ${key}` : byAddress());
      if (!isKnown) {
        throw new HttpError(401, key === null ? 'API key required' : 'Invalid API key', CHALLENGE);
      }
    }
    admitted.add(request);
  };
  return new Elysia({ name: 'authentication' })
    .onParse({ as: 'scoped' }, check)
    .onTransform({ as: 'scoped' }, check);
}

export type Authentication = ReturnType<typeof authentication>;

function bearerKey(request: Request): string | null {
  const [scheme, key] = (request.headers.get('authorization') ?? '').split(/\s+/, 2);
  if (key && scheme.toLowerCase() === 'bearer') return key;
  return socketKey(request.headers);
}

/** What a page offers beside the subprotocol that carries its key: one of them has to be chosen. */
export const SUBPROTOCOL = 'triptych';

const KEY_PROTOCOL = 'bearer.';

/**
 * The key of a WebSocket that a page opens, which can set no header:
 * `new WebSocket(url, ['triptych', 'bearer.' + base64url(key)])`.
 */
function socketKey(headers: Headers): string | null {
  if (headers.get('upgrade')?.toLowerCase() !== 'websocket') return null;
  const offered = (headers.get('sec-websocket-protocol') ?? '').split(',');
  const carrier = offered.map((one) => one.trim()).find((one) => one.startsWith(KEY_PROTOCOL));
  if (!carrier) return null;
  return Buffer.from(carrier.slice(KEY_PROTOCOL.length), 'base64url').toString() || null;
}

/** Digests have one length, and every key is compared: the time says nothing of the key. */
function isAccepted(key: string, accepted: readonly Buffer[]): boolean {
  const given = digest(key);
  let found = false;
  for (const known of accepted) {
    if (timingSafeEqual(given, known)) found = true;
  }
  return found;
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
