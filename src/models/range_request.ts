import { ModelError } from './errors.ts';
import type { Validators } from './part_file.ts';
import { authorisation, type RemoteSettings, redirectTarget, shown } from './remote.ts';
import { connectionFailure, PassingFailure, parseRetryAfter } from './retry.ts';

/** What a server answered to "the file from byte `offset` on". */
export type RangeAnswer =
  | {
      readonly kind: 'body';
      /** Where the body starts: the offset asked for, or 0 from a server that sends all of it. */
      readonly offset: number;
      readonly validators: Validators;
      readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
    }
  /** There is nothing from that offset on, because the file ends there. */
  | { readonly kind: 'complete' }
  /** The offset is not in the file: what came before belongs to another one. */
  | { readonly kind: 'restart' };

export interface RangeRequest {
  readonly url: URL;
  readonly offset: number;
  /** Of the bytes before `offset`; sent as If-Range. */
  readonly validators: Validators;
  readonly settings: RemoteSettings;
  readonly signal: AbortSignal;
}

const REDIRECT_LIMIT = 10;

/**
 * Asks for a file from an offset on, following redirects hop by hop so that the token stays with
 * the host it is for.
 *
 * @throws PassingFailure for what may go better next time (no connection, 408, 429, 5xx).
 * @throws ModelError `gated` (401, 403), `not-found` (404, 410), `network` (any other answer).
 */
export async function requestRange(request: RangeRequest): Promise<RangeAnswer> {
  let url = request.url;
  let announcedSha256: string | undefined;
  for (let hop = 0; hop <= REDIRECT_LIMIT; hop++) {
    const response = await fetchHop(url, request);
    if (url.origin === request.url.origin) announcedSha256 ??= announcedHash(response.headers);
    if (![301, 302, 303, 307, 308].includes(response.status)) {
      return answer(response, url, request, announcedSha256);
    }
    await response.body?.cancel();
    url = redirectTarget(url, response.headers.get('location'));
  }
  throw new ModelError('network', `${shown(request.url)}: more than ${REDIRECT_LIMIT} redirects`);
}

async function fetchHop(url: URL, request: RangeRequest): Promise<Response> {
  const headers = new Headers({ 'accept-encoding': 'identity', accept: '*/*' });
  const token = authorisation(url, request.settings);
  if (token) headers.set('authorization', token);
  if (request.offset > 0) {
    headers.set('range', `bytes=${request.offset}-`);
    const condition = ifRange(request.validators);
    if (condition) headers.set('if-range', condition);
  }
  try {
    return await fetch(url, { headers, redirect: 'manual', signal: request.signal });
  } catch (cause) {
    if (request.signal.aborted) throw request.signal.reason;
    throw connectionFailure(shown(url), cause);
  }
}

/** A strong ETag, else the date: If-Range allows no weak one (RFC 9110, 13.1.5). */
export function ifRange({ etag, lastModified }: Validators): string | undefined {
  return etag && !etag.startsWith('W/') ? etag : lastModified;
}

async function answer(
  response: Response,
  url: URL,
  request: RangeRequest,
  announcedSha256: string | undefined,
): Promise<RangeAnswer> {
  const { status, headers } = response;
  if (status === 200 && headers.get('content-type')?.startsWith('text/html')) {
    await response.body?.cancel();
    throw new ModelError(
      'network',
      `${shown(url)} answers with a web page, expected a file: a login page of the network or of a ` +
        'proxy? Open the address in a browser',
    );
  }
  if ((status === 200 || status === 206) && response.body) {
    const range = status === 206 ? parseContentRange(headers.get('content-range')) : undefined;
    const started = range?.start ?? 0;
    if (status === 206 && (started !== request.offset || otherFile(headers, request))) {
      await response.body.cancel();
      return { kind: 'restart' };
    }
    const total = status === 206 ? range?.total : contentLength(headers);
    return {
      kind: 'body',
      offset: started,
      validators: { ...validatorsOf(headers, total), ...(announcedSha256 && { announcedSha256 }) },
      body: response.body,
    };
  }
  await response.body?.cancel();
  if (status === 416) {
    const total = parseContentRange(headers.get('content-range'))?.total;
    return { kind: total === request.offset ? 'complete' : 'restart' };
  }
  throw refusal(response, url, request);
}

/** A server that ignores If-Range and goes on with another file than the one begun. */
function otherFile(headers: Headers, { validators }: RangeRequest): boolean {
  const etag = headers.get('etag');
  return etag !== null && validators.etag !== undefined && etag !== validators.etag;
}

function validatorsOf(headers: Headers, total: number | undefined): Validators {
  const etag = headers.get('etag');
  const lastModified = headers.get('last-modified');
  return {
    ...(etag !== null && { etag }),
    ...(lastModified !== null && { lastModified }),
    ...(total !== undefined && { total }),
  };
}

/** `bytes 5-9/10`, or `bytes *​/10` without a start. */
function parseContentRange(header: string | null): { start?: number; total?: number } | undefined {
  const match = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(header ?? '');
  if (!match) return undefined;
  return {
    ...(match[1] !== undefined && { start: Number(match[1]) }),
    ...(match[2] !== '*' && { total: Number(match[2]) }),
  };
}

/** Of an encoded body the length says nothing about the file. */
function contentLength(headers: Headers): number | undefined {
  const length = headers.get('content-length');
  const encoding = headers.get('content-encoding') ?? 'identity';
  return length !== null && encoding === 'identity' ? Number(length) : undefined;
}

/** Hugging Face names the SHA-256 of large files in `x-linked-etag`. */
function announcedHash(headers: Headers): string | undefined {
  return /^"?([0-9a-f]{64})"?$/i.exec(headers.get('x-linked-etag') ?? '')?.[1].toLowerCase();
}

function refusal({ status, headers }: Response, url: URL, request: RangeRequest): Error {
  const place = `${shown(url)} answers ${status}`;
  if (status === 408 || status === 429 || status >= 500) {
    return new PassingFailure(place, parseRetryAfter(headers.get('retry-after')));
  }
  if (status === 401 || status === 403) {
    // A storage host refuses when a signed address ran out; asking again gets a fresh one.
    if (url.origin !== request.url.origin) return new PassingFailure(place);
    return new ModelError(
      'gated',
      `${place}: the repository is gated or private. Ask for access on its page, then set ` +
        `HF_TOKEN to a token that may read it${request.settings.token ? ' (the one set may not)' : ''}`,
    );
  }
  if (status === 404 || status === 410) {
    return new ModelError(
      'not-found',
      `${place}: the file is not there. Check HF_ENDPOINT and TRIPTYCH_MODEL_MIRROR if set, or get ` +
        'it elsewhere and use --from or `models add`',
    );
  }
  return new ModelError('network', `${place}; 200 or 206 is expected`);
}
