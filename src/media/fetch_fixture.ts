/** For the tests of guardedFetch: a server on the loopback that answers badly in many ways. */
import { expect } from 'bun:test';
import { createServer, type Socket } from 'node:net';
import type { MediaError } from './errors.ts';
import { type FetchOptions, guardedFetch } from './fetch.ts';

export const PICTURE = new Uint8Array([0xff, 0xd8, 0xff, 1, 2, 3]);
export const LIMITS = { maxBytes: 100_000, timeoutMs: 5_000, maxRedirects: 3 } as const;

/** Resolves every name to the loopback. */
export const LOOPBACK = async () => ['127.0.0.1'];

/** What the server has seen. */
export const seen = { paths: [] as string[], openStreams: 0 };

/** Sends a byte every 20 ms for ever. */
function drip(): Response {
  let timer: ReturnType<typeof setInterval>;
  seen.openStreams++;
  const body = new ReadableStream({
    start: (controller) => {
      timer = setInterval(() => controller.enqueue(new Uint8Array(1)), 20);
    },
    cancel: () => {
      seen.openStreams--;
      clearInterval(timer);
    },
  });
  return new Response(body);
}

/** Sends as fast as it is read, for ever. */
function flood(): Response {
  seen.openStreams++;
  const body = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(16_384)),
    cancel: () => {
      seen.openStreams--;
    },
  });
  return new Response(body);
}

function redirect(location: string): Response {
  return new Response('moved', { status: 302, headers: { location } });
}

function answer(request: Request): Response | Promise<Response> {
  const { pathname, searchParams, host } = new URL(request.url);
  seen.paths.push(pathname);
  switch (pathname) {
    case '/picture':
      return new Response(PICTURE, { headers: { 'content-type': 'image/jpeg' } });
    case '/echo':
      return Response.json({ host, headers: Object.fromEntries(request.headers) });
    case '/to':
      return redirect(searchParams.get('url')!);
    case '/loop':
      return redirect(`/loop?n=${Number(searchParams.get('n') ?? 0) + 1}`);
    case '/drip':
      return drip();
    case '/flood':
      return flood();
    case '/large':
      return new Response(new Uint8Array(LIMITS.maxBytes + 1));
    case '/exact':
      return new Response(new Uint8Array(LIMITS.maxBytes));
    case '/zipped':
      return new Response(Bun.gzipSync(PICTURE), { headers: { 'content-encoding': 'gzip' } });
    case '/silent':
      return new Promise(() => {});
    default:
      return new Response('a secret page', { status: Number(pathname.slice(1)) || 404 });
  }
}

/** Starts the server; its port differs from run to run. */
export const startServer = () =>
  Bun.serve({ hostname: '127.0.0.1', port: 0, idleTimeout: 0, fetch: answer });

/** A TCP server that answers whatever the path spells, percent-encoded: for malformed HTTP. */
export async function startRawServer() {
  const server = createServer((socket: Socket) => {
    socket.on('error', () => {});
    socket.once('data', (data) => {
      const path = data.toString().split(' ')[1];
      socket.end(Buffer.from(decodeURIComponent(path.slice(1)), 'latin1'));
    });
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address() as { port: number };
  return { port, stop: () => server.close() };
}

/** A fetch as for an operator who exempts one internal host, `images.test`. */
export function fetchExempt(url: string, options: Partial<FetchOptions> = {}) {
  const exempt = { resolve: LOOPBACK, allowPrivate: ['images.test'] };
  return guardedFetch(url, { ...LIMITS, ...exempt, ...options });
}

/** The MediaError that the work must end with. */
export async function failure(work: Promise<unknown>): Promise<MediaError> {
  const error = await work.then(
    () => new Error('it was fetched'),
    (cause) => cause,
  );
  expect(error).toMatchObject({ name: 'MediaError' });
  return error as MediaError;
}

/** Waits, at most two seconds, for a condition. */
export async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !condition(); i++) await Bun.sleep(10);
  expect(condition()).toBe(true);
}
