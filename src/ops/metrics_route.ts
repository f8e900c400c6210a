import { Elysia } from 'elysia';
import type { Authentication } from '../api/auth.ts';
import { documentation } from '../api/schema.ts';
import type { Metrics } from './metrics.ts';

/** `GET /metrics`, for Prometheus. */
export function metricsRoute(metrics: Metrics, keys: Authentication) {
  return new Elysia({ name: 'metrics', tags: ['health'] })
    .use(keys)
    .get(
      '/metrics',
      async () =>
        new Response(await metrics.text(), { headers: { 'Content-Type': metrics.contentType } }),
      {
        detail: documentation({
          summary: 'Metrics',
          description:
            'Figures of this process in the text format of Prometheus. Needs a key where the server has keys: give it to Prometheus as `authorization.credentials`.',
          forms: {
            'text/plain':
              'sam3_gpu_memory_allocated_bytes and sam3_gpu_memory_reserved_bytes (by gpu), sam3_cpu_usage_percent, sam3_memory_usage_percent; and triptych_ engines, queue, feature cache, sessions, and histograms of requests and their stages in seconds',
          },
          errors: { 401: 'A key is required, or the key is wrong' },
        }),
      },
    );
}
