import { createHash, timingSafeEqual } from 'node:crypto';
import { Elysia } from 'elysia';
import { HttpError } from './errors.ts';

const CHALLENGE = { 'WWW-Authenticate': 'Bearer' };

/**
 * Bearer authentication for the routes it guards, when there are keys.
 *
 * @throws HttpError 401, `API key required` or `Invalid API key`
 */
export function authentication(keys: readonly string[]) {
  const accepted = keys.map(digest);
  return new Elysia({ name: 'authentication' }).onRequest(({ request }) => {
    if (accepted.length === 0 || isOpen(request)) return;
    const [scheme, key] = (request.headers.get('authorization') ?? '').split(/\s+/, 2);
    if (!key || scheme.toLowerCase() !== 'bearer') {
      throw new HttpError(401, 'API key required', CHALLENGE);
    }
    if (!isAccepted(key, accepted)) throw new HttpError(401, 'Invalid API key', CHALLENGE);
  });
}

/** `/health` and the docs need no key; a browser's preflight cannot carry one. */
function isOpen(request: Request): boolean {
  const { pathname } = new URL(request.url);
  return (
    request.method === 'OPTIONS' ||
    pathname === '/health' ||
    pathname === '/docs' ||
    pathname.startsWith('/docs/')
  );
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
