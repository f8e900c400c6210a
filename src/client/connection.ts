import { ApiError, NoAnswerError } from './errors.ts';

/** Where the server is, and how long to wait for it. */
export interface ClientOptions {
  /** The server's address; a path in it is kept. Default: `http://127.0.0.1:8000`. */
  readonly baseUrl?: string | URL;
  /** Sent as `Authorization: Bearer …`. */
  readonly apiKey?: string;
  /** Aborting it stops the request, on the server too while it waits there. */
  readonly signal?: AbortSignal;
  /** Milliseconds until the whole answer must be here. Default: 180 000, a server's own limits. */
  readonly timeout?: number;
  /** Called with the answer's headers, for example to read `Server-Timing`. */
  readonly onHeaders?: (headers: Headers) => void;
}

const DEFAULT_BASE_URL = 'http://127.0.0.1:8000';
export const DEFAULT_TIMEOUT = 180_000;

/** How much of an unexpected answer an error quotes. */
const QUOTED = 200;

interface Sent {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly accept: string;
  readonly body?: string | FormData;
}

/**
 * Sends one request and reads its answer with `read`.
 *
 * @throws ApiError for an answer other than 2xx
 * @throws NoAnswerError when none comes
 * @throws TypeError for a `baseUrl` that is not an http(s) URL
 * @throws the signal's reason once it is aborted
 */
export async function request<T>(
  path: string,
  { method, accept, body }: Sent,
  options: ClientOptions,
  read: (response: Response) => Promise<T>,
): Promise<T> {
  const url = endpoint(options.baseUrl, path);
  const { apiKey, signal, timeout = DEFAULT_TIMEOUT } = options;
  const deadline = AbortSignal.timeout(timeout);
  const headers: Record<string, string> = { Accept: accept };
  if (apiKey) headers.Authorization = `Bearer ${apiKey}`;
  if (typeof body === 'string') headers['Content-Type'] = 'application/json';
  const stop = signal ? AbortSignal.any([signal, deadline]) : deadline;
  // Before the attempt: what this refuses, say a key with a line break, is no broken connection.
  const message = new Request(url.href, { method, headers, body, signal: stop });
  const attempt = async <R>(step: () => Promise<R>): Promise<R> => {
    try {
      return await step();
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (deadline.aborted) throw tooLate(url, timeout, error);
      throw isConnectionError(error) ? unreachable(url, error) : error;
    }
  };
  const response = await attempt(() => fetch(message));
  if (!response.ok) throw await attempt(() => apiError(response));
  options.onHeaders?.(response.headers);
  return attempt(() => read(response));
}

/** Reads an answer that must be JSON. */
export async function readJson<T>(response: Response): Promise<T> {
  expectType(response, 'application/json');
  const text = await response.text();
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ApiError(response.status, `${response.url} answered with damaged JSON: ${why}`);
  }
}

/**
 * @throws ApiError when the answer is of another type than asked for, which a proxy or another
 *   kind of server gives
 */
export function expectType(response: Response, type: string): void {
  const given = response.headers.get('content-type')?.split(';')[0].trim() ?? 'no content type';
  if (given === type) return;
  throw new ApiError(
    response.status,
    `${response.url} answered with ${given}, not ${type}: is it this server?`,
  );
}

/** @throws TypeError for a `baseUrl` that is not an http(s) URL */
export function endpoint(baseUrl: string | URL = DEFAULT_BASE_URL, path: string): URL {
  const base = URL.parse(String(baseUrl));
  if (!base || !/^https?:$/.test(base.protocol)) {
    throw new TypeError(
      `baseUrl is "${baseUrl}"; expected an http(s) URL such as ${DEFAULT_BASE_URL}`,
    );
  }
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  return new URL(path, base);
}

async function apiError(response: Response): Promise<ApiError> {
  const text = await response.text();
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  return new ApiError(
    response.status,
    detailOf(text) ?? (text.trim().slice(0, QUOTED) || response.statusText),
    Number.isFinite(retryAfter) ? retryAfter : undefined,
  );
}

/**
 * `{"detail": "…"}` is this server's; the documented ones also send lists there, and /foundationpose
 * `{"error": "…", "details": "…"}`.
 */
function detailOf(text: string): string | undefined {
  try {
    const { detail, error, details } = JSON.parse(text);
    if (typeof error === 'string') return details ? `${error}: ${details}` : error;
    return typeof detail === 'string' || detail === undefined ? detail : JSON.stringify(detail);
  } catch {
    return undefined;
  }
}

/** Browsers reject with a TypeError, Bun with an Error that has a code. */
function isConnectionError(error: unknown): boolean {
  return error instanceof TypeError || (error instanceof Error && 'code' in error);
}

function unreachable(url: URL, cause: unknown): NoAnswerError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `no answer from ${url}; check the address, and that the server runs (${why})`;
  return new NoAnswerError('unreachable', message, { cause });
}

function tooLate(url: URL, timeout: number, cause: unknown): NoAnswerError {
  const message = `no whole answer from ${url} within ${timeout} ms; a larger timeout may help`;
  return new NoAnswerError('timeout', message, { cause });
}
