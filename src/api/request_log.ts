import { Elysia } from 'elysia';

/** Where the server's events go. */
export interface RequestLog {
  request(method: string, path: string, status: number, ms: number): void;
  failure(error: unknown, path: string): void;
}

/** One line a request, after its answer. */
export function requestLog(log: RequestLog) {
  const started = new WeakMap<Request, number>();
  return new Elysia({ name: 'request-log' })
    .onRequest(({ request }) => {
      started.set(request, performance.now());
    })
    .onAfterResponse({ as: 'global' }, ({ request, path, set, response }) => {
      const status = response instanceof Response ? response.status : Number(set.status ?? 200);
      const ms = performance.now() - (started.get(request) ?? performance.now());
      log.request(request.method, path, status, ms);
    });
}
