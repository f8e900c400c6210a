import { lookup } from 'node:dns/promises';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { isPublicAddress } from './address.ts';
import { MediaError } from './errors.ts';
import { BodyTooLargeError, bodyChunks, httpGet } from './http_get.ts';

/** Looks up a host name: all its IPv4 and IPv6 addresses. */
type Resolve = (hostname: string) => Promise<readonly string[]>;

/** What a URL may lead to, and how long it may take. */
export interface FetchOptions {
  /** Largest body in bytes. */
  readonly maxBytes: number;
  /** Milliseconds for everything together: look-ups, redirects and the last byte of the body. */
  readonly timeoutMs: number;
  /** How many redirects are followed. Each target is checked like the first URL. */
  readonly maxRedirects: number;
  /** When given, the only hosts that may be asked: `host.example` or `*.example`. */
  readonly allowHosts?: readonly string[];
  /** Lets all hosts, or those listed as in `allowHosts`, have addresses that aren't public. */
  readonly allowPrivate?: boolean | readonly string[];
  /** The Accept header. Default: images, then anything. */
  readonly accept?: string;
  /** Stops the fetch; its reason is thrown. */
  readonly signal?: AbortSignal;
  /** Default: the system's resolver. Asked once for each hop. */
  readonly resolve?: Resolve;
  /** PEM certificates to trust in place of the system's. */
  readonly ca?: string;
  /** The request field that holds the URL, for error messages. Default `image_url`. */
  readonly field?: string;
}

/** A body while it arrives. */
export interface FetchedStream {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** As the server declared it; nothing vouches for it. */
  readonly contentType: string | null;
  /** Where the body comes from, after redirects. */
  readonly url: string;
}

/** A body that was fetched whole. */
export interface FetchedBody extends Omit<FetchedStream, 'chunks'> {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const ACCEPT = 'image/*, */*;q=0.5';

/**
 * Fetches a URL that a stranger gave, without letting it reach inward (SSRF).
 *
 * Only http and https without credentials. The host is looked up once, every address found must be
 * public, and the connection goes to those very addresses, so that a name which changes its answer
 * (DNS rebinding) gains nothing; each redirect goes through the same checks. Proxy variables are
 * not consulted. Messages never quote a resolved address or a body.
 *
 * @throws {MediaError} 413 for a body past `maxBytes`, declared or not; 422 for a URL, address,
 *   redirect, status, encoding or connection that isn't accepted, and for running out of time.
 * @throws `signal.reason` once `signal` is aborted.
 */
export function guardedFetch(url: string, options: FetchOptions): Promise<FetchedBody> {
  return guardedStream(url, options, async ({ chunks, contentType, url: from }) => {
    const received: Uint8Array[] = [];
    for await (const chunk of chunks) received.push(chunk);
    return { bytes: new Uint8Array(Buffer.concat(received)), contentType, url: from };
  });
}

/**
 * `guardedFetch` for bodies that are too large for memory: `receive` takes what arrives, and the
 * time that it needs counts. What it throws is thrown on.
 */
export async function guardedStream<T>(
  url: string,
  options: FetchOptions,
  receive: (body: FetchedStream) => Promise<T>,
): Promise<T> {
  const field = options.field ?? 'image_url';
  const { signal, timeoutMs } = options;
  signal?.throwIfAborted();
  const stop = new AbortController();
  const cancel = () => stop.abort(signal?.reason);
  signal?.addEventListener('abort', cancel, { once: true });
  const late = new MediaError(422, `${field} did not arrive within ${timeoutMs} ms.`, field);
  const timer = setTimeout(() => stop.abort(late), timeoutMs);
  try {
    return await receive(await follow(url, field, { ...options, signal: stop.signal }));
  } catch (cause) {
    // Whatever was under way when the time ran out failed because of it.
    if (stop.signal.aborted) throw stop.signal.reason;
    throw cause;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', cancel);
    // Nothing outlives the call, an unread body least of all.
    stop.abort();
  }
}

type HopOptions = FetchOptions & { readonly signal: AbortSignal };

async function follow(first: string, field: string, options: HopOptions): Promise<FetchedStream> {
  let url = parseUrl(first, null, field, options);
  for (let redirects = 0; ; redirects++) {
    const answer = await ask(url, field, options);
    const status = answer.statusCode ?? 0;
    const location = answer.headers.location;
    if (!REDIRECTS.has(status) || location === undefined) return take(url, answer, field, options);
    answer.destroy();
    if (redirects === options.maxRedirects) {
      throw new MediaError(422, `${field} redirects more than ${redirects} times.`, field);
    }
    url = parseUrl(location, url, field, options);
  }
}

function parseUrl(text: string, base: URL | null, field: string, options: FetchOptions): URL {
  const given = base ? `${field} redirects to a URL that` : `${field} is a URL that`;
  const url = URL.parse(text, base?.href);
  const refuse = (why: string) => new MediaError(422, `${given} ${why}.`, field);
  if (!url) throw refuse('does not parse; expected http:// or https:// and a host');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw refuse(`begins with ${url.protocol} Only http: and https: are fetched`);
  }
  if (url.username || url.password) throw refuse('has a user name or password; remove it');
  if (options.allowHosts && !isListed(url.hostname, options.allowHosts)) {
    throw refuse(`names ${url.hostname}, which is not among the hosts this server may ask`);
  }
  return url;
}

function isListed(hostname: string, hosts: readonly string[]): boolean {
  const host = hostname.replace(/\.$/, '');
  return hosts.some((entry) => {
    const listed = entry.toLowerCase();
    return listed.startsWith('*.') ? host.endsWith(listed.slice(1)) : host === listed;
  });
}

async function ask(url: URL, field: string, options: HopOptions): Promise<IncomingMessage> {
  const addresses = await checkedAddresses(url, field, options);
  const { accept = ACCEPT, signal, ca } = options;
  try {
    return await httpGet({ url, addresses, accept, signal, ca });
  } catch (cause) {
    throw unreachable(url, cause, field);
  }
}

/** The addresses of the URL's host, IPv4 first, all of them public unless the host is exempt. */
async function checkedAddresses(url: URL, field: string, options: HopOptions): Promise<string[]> {
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const { allowPrivate = false, resolve = systemResolve, signal } = options;
  const found = isIP(hostname) ? [hostname] : await orAbort(resolve(hostname), signal).catch(none);
  if (found.length === 0) {
    throw new MediaError(422, `${field}: the host ${url.hostname} was not found.`, field);
  }
  const isExempt =
    typeof allowPrivate === 'boolean' ? allowPrivate : isListed(url.hostname, allowPrivate);
  if (!isExempt && !found.every(isPublicAddress)) {
    const where = `${field} leads to ${url.hostname}, which is not on the public internet`;
    throw new MediaError(
      422,
      `${where}; send the ${field.replace(/_url$/, '')} itself instead.`,
      field,
    );
  }
  return found.toSorted((a, b) => isIP(a) - isIP(b));
}

async function systemResolve(hostname: string): Promise<string[]> {
  const found = await lookup(hostname, { all: true });
  return found.map(({ address }) => address);
}

const none = (): string[] => [];

/** The look-up itself can't be cancelled, but nobody has to wait for it. */
function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}

function take(
  url: URL,
  answer: IncomingMessage,
  field: string,
  { maxBytes }: FetchOptions,
): FetchedStream {
  const status = answer.statusCode ?? 0;
  if (status < 200 || status > 299) {
    throw new MediaError(422, `${field}: ${url.host} answered ${status}; expected 200.`, field);
  }
  const encoding = answer.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    const given = `${field}: ${url.host} answered with Content-Encoding ${encoding}`;
    throw new MediaError(422, `${given}; expected none.`, field);
  }
  const chunks = checkedChunks(url, answer, field, maxBytes);
  return { chunks, contentType: answer.headers['content-type'] ?? null, url: url.href };
}

async function* checkedChunks(
  url: URL,
  answer: IncomingMessage,
  field: string,
  maxBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* bodyChunks(answer, maxBytes);
  } catch (cause) {
    if (!(cause instanceof BodyTooLargeError)) throw unreachable(url, cause, field);
    const given = `${field}: ${url.host} ${cause.message}`;
    throw new MediaError(413, `${given}; at most ${maxBytes} are taken.`, field);
  }
}

function unreachable(url: URL, cause: unknown, field: string): MediaError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'connection closed';
  const message = `${field}: ${url.host} could not be fetched (${code}).`;
  return new MediaError(422, message, field);
}
