import { type Static, Type as t } from '@sinclair/typebox';
import { Elysia } from 'elysia';
import { documentation, OneOf } from '../api/schema.ts';
import type { EnginePool } from '../engine/pool.ts';

const HealthAnswer = t.Object({
  status: OneOf(['healthy', 'unhealthy'], {
    description: 'unhealthy: no engine can take work',
    examples: ['healthy'],
  }),
  device: t.String({
    description: 'What the models run on: webgpu or cpu, and its name',
    examples: ['cpu (AMD EPYC)'],
  }),
  worker_id: t.Integer({ description: 'Of the worker that answers; always 0', examples: [0] }),
  gpu_id: t.Union([t.Integer(), t.Null()], {
    description: 'Of the GPU in use; null without one',
    examples: [0],
  }),
  gpu_available: t.Boolean({ description: 'Whether a hardware GPU is in use', examples: [true] }),
  gpu_count: t.Integer({ description: 'GPUs in use', examples: [1] }),
  models_loaded: t.Array(t.String(), {
    description: 'Models that are open in at least one engine',
    examples: [['depth-mini']],
  }),
  total_model_instances: t.Integer({
    description: 'Open models, over all engines',
    examples: [1],
  }),
  request_counter: t.Integer({
    description: 'Requests since the start, those for /health not counted',
    examples: [15],
  }),
  active_sessions: t.Integer({ description: 'Open video sessions', examples: [0] }),
  queue_length: t.Integer({ description: 'Requests that wait for an engine', examples: [0] }),
  workers: t.Integer({ description: 'Engine workers', examples: [1] }),
  version: t.String({ description: 'Of this server', examples: ['0.1.0'] }),
});

export type HealthAnswer = Static<typeof HealthAnswer>;

/** Counts requests and answers `GET /health`, from what the main thread knows already. */
export function health(pool: EnginePool, version: string, sessions: () => number) {
  let requests = 0;
  return new Elysia({ name: 'health', tags: ['health'] })
    .onTransform({ as: 'global' }, ({ path }) => {
      if (path !== '/health') requests++;
    })
    .get(
      '/health',
      ({ set }): Static<typeof HealthAnswer> => {
        const statuses = pool.statuses();
        const device = pool.device;
        // Whoever watches the server reads the status alone.
        if (!pool.healthy) set.status = 503;
        const models = statuses.flatMap((status) => status?.modelsLoaded ?? []);
        const gpu = device?.kind === 'webgpu' && !device.software;
        return {
          status: pool.healthy ? 'healthy' : 'unhealthy',
          device: device ? `${device.kind} (${device.name})` : 'starting',
          worker_id: 0,
          gpu_id: gpu ? 0 : null,
          gpu_available: gpu,
          gpu_count: gpu ? 1 : 0,
          models_loaded: [...new Set(models)],
          total_model_instances: models.length,
          request_counter: requests,
          active_sessions: sessions(),
          queue_length: pool.queueLength,
          workers: statuses.length,
          version,
        };
      },
      {
        detail: documentation({
          summary: 'Health',
          description: 'State of the server. Needs no key.',
          answer: HealthAnswer,
        }),
      },
    );
}
