import { createHash, timingSafeEqual } from 'node:crypto';
import { Elysia } from 'elysia';
import { HttpError } from './errors.ts';

const CHALLENGE = { 'WWW-Authenticate': 'Bearer' };

/**
 * Bearer authentication, when there are keys, of the routes of the plugin that uses this.
 *
 * It hangs on the routes themselves, not on paths: what a router makes of a path is the router's
 * affair. It comes before the body is read, and again before a bodiless request is validated.
 *
 * @throws HttpError 401, `API key required` or `Invalid API key`
 */
export function authentication(keys: readonly string[]) {
  const accepted = keys.map(digest);
  const check = ({ request }: { request: Request }) => {
    if (accepted.length > 0) authorise(request, accepted);
  };
  return new Elysia({ name: 'authentication' })
    .onParse({ as: 'scoped' }, check)
    .onTransform({ as: 'scoped' }, check);
}

export type Authentication = ReturnType<typeof authentication>;

function authorise(request: Request, accepted: readonly Buffer[]): void {
  const [scheme, key] = (request.headers.get('authorization') ?? '').split(/\s+/, 2);
  if (!key || scheme.toLowerCase() !== 'bearer') {
    throw new HttpError(401, 'API key required', CHALLENGE);
  }
  if (!isAccepted(key, accepted)) throw new HttpError(401, 'Invalid API key', CHALLENGE);
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
