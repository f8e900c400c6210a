import { cors } from '@elysiajs/cors';
import { Elysia } from 'elysia';
import { authentication } from './api/auth.ts';
import { BodyReader } from './api/body.ts';
import { docs } from './api/docs.ts';
import { errorAnswers } from './api/errors.ts';
import { type RequestLog, requestLog } from './api/request_log.ts';
import type { Config } from './config.ts';
import { FACT_HEADERS } from './depth/respond.ts';
import { depthRoutes } from './depth/routes.ts';
import { DepthService } from './depth/service.ts';
import type { EnginePool } from './engine/pool.ts';
import type { ModelStore } from './models/store.ts';
import { health } from './ops/health.ts';

export const VERSION = '0.1.0';

const MEBI = 2 ** 20;

export interface AppParts {
  readonly config: Config;
  readonly pool: EnginePool;
  readonly store: ModelStore;
  readonly log: RequestLog;
}

/** The whole server: what all routes share, then the features. */
export function createApp({ config, pool, store, log }: AppParts) {
  const maxBodyBytes = config.maxUploadMb * MEBI;
  const depth = new DepthService({
    pool,
    store,
    limits: {
      maxBytes: maxBodyBytes,
      maxPixels: config.maxImageMegapixels * 1e6,
      fetchTimeoutMs: config.fetchTimeoutSeconds * 1000,
    },
    strictModels: config.strictModels,
    maxInputSize: config.maxInputSize,
    queueTimeoutMs: config.queueTimeoutSeconds * 1000,
  });
  return new Elysia({
    // Bodies are bounded where they are read, with an answer that says so.
    serve: { development: false, maxRequestBodySize: Number.MAX_SAFE_INTEGER, idleTimeout: 255 },
  })
    .use(requestLog(log))
    .use(errorAnswers(log.failure))
    .use(crossOrigin(config.corsOrigins))
    .use(docs(VERSION))
    .use(health(pool, VERSION))
    .get('/', () => ({ name: 'triptych', version: VERSION, status: 'running', docs: '/docs' }), {
      detail: { hide: true },
    })
    .use(depthRoutes(depth, authentication(config.apiKey), new BodyReader(maxBodyBytes)));
}

/** Lets pages of these origins call; without any, browsers refuse on their own. */
function crossOrigin(origins: readonly string[]) {
  if (origins.length === 0) return new Elysia();
  return cors({
    origin: origins.includes('*') ? true : [...origins],
    // A key is a header that the page sets itself; cookies mean nothing here.
    credentials: false,
    // The plugin's default exposes the names of the request's headers.
    exposeHeaders: ['Server-Timing', 'Retry-After', 'WWW-Authenticate', ...FACT_HEADERS],
  });
}

export type App = ReturnType<typeof createApp>;
