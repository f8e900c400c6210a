import { Elysia } from 'elysia';
import type { Metrics } from './metrics.ts';

/** Counts every request with its duration and stages. */
export function requestMetrics(metrics: Metrics) {
  const started = new WeakMap<Request, number>();
  return new Elysia({ name: 'request-metrics' })
    .onRequest(({ request }) => {
      started.set(request, performance.now());
    })
    .onAfterResponse({ as: 'global' }, ({ request, route, set, response }) => {
      const answer = response instanceof Response ? response : null;
      metrics.answered({
        method: request.method,
        // What a client may make up must not become a label.
        route: route || 'unmatched',
        status: answer?.status ?? Number(set.status ?? 200),
        ms: performance.now() - (started.get(request) ?? performance.now()),
        stages: readServerTiming(answer?.headers.get('server-timing') ?? ''),
      });
    });
}

/** `decode;dur=1.20, infer;dur=30.00` → milliseconds by name. */
function readServerTiming(header: string): Record<string, number> {
  const stages = header.matchAll(/([\w-]+);dur=([\d.]+)/g);
  return Object.fromEntries(Array.from(stages, ([, stage, ms]) => [stage, Number(ms)]));
}
