import { join } from 'node:path';
import { cors } from '@elysiajs/cors';
import { Elysia } from 'elysia';
import { authentication } from './api/auth.ts';
import { BodyReader } from './api/body.ts';
import { docs } from './api/docs.ts';
import { errorAnswers } from './api/errors.ts';
import { RateLimiter } from './api/rate_limit.ts';
import { type RequestLog, requestLog } from './api/request_log.ts';
import { cacheDirectory } from './cache.ts';
import type { Config } from './config.ts';
import { FACT_HEADERS } from './depth/respond.ts';
import { depthRoutes } from './depth/routes.ts';
import { DepthService } from './depth/service.ts';
import type { EnginePool } from './engine/pool.ts';
import type { ModelStore } from './models/store.ts';
import { health } from './ops/health.ts';
import { Metrics } from './ops/metrics.ts';
import { metricsRoute } from './ops/metrics_route.ts';
import { modelsInfo } from './ops/models_info.ts';
import { requestMetrics } from './ops/request_metrics.ts';
import { foundationPoseRoute } from './pose/foundationpose/route.ts';
import type { MaskFinder } from './pose/mask_finder.ts';
import { PoseModels } from './pose/models.ts';
import { poseRoutes } from './pose/routes.ts';
import { PoseService } from './pose/service.ts';
import { SegmentModels } from './sam/models.ts';
import { findMask } from './segment/find_mask.ts';
import { SEGMENT_HEADERS } from './segment/respond.ts';
import { segmentRoutes } from './segment/routes.ts';
import { SegmentService } from './segment/service.ts';
import { visualizationRoutes } from './segment/visualization_routes.ts';
import { VisualizationStore } from './segment/visualizations.ts';
import { videoRoutes } from './video/routes.ts';
import { VideoService } from './video/service.ts';
import { videoSocketRoute } from './video/socket_route.ts';

export const VERSION = '0.1.0';

const MEBI = 2 ** 20;

export interface AppParts {
  readonly config: Config;
  readonly pool: EnginePool;
  readonly store: ModelStore;
  readonly log: RequestLog;
}

/** Pictures behind `visualization_url`, over all requests. */
const VISUALIZATION_BYTES = 128 * MEBI;

/** Requests are small; one frame's answer may be large, and the next waits until it is read. */
const SOCKETS = { maxPayloadLength: 2 ** 16, backpressureLimit: 64 * MEBI, idleTimeout: 120 };

/** The whole server: what all routes share, then the features. */
export function createApp(parts: AppParts) {
  const { config, pool, store, log } = parts;
  const { depth, models, segment, pose, poseModels, video, visualizations } = createServices(parts);
  const sessions = () => video.size;
  const metrics = new Metrics({ pool, sessions });
  const limiter = config.rateLimitEnabled
    ? new RateLimiter(config.rateLimitRequestsPerMinute)
    : null;
  const keys = authentication(config.apiKey, limiter);
  const bodies = new BodyReader(config.maxUploadMb * MEBI);
  const failed = (path: string) => (error: unknown) => log.failure(error, path);
  const cachesFeatures = config.maxCacheSizeMb > 0;
  return new Elysia({
    // Bodies are bounded where they are read, with an answer that says so.
    serve: { development: false, maxRequestBodySize: Number.MAX_SAFE_INTEGER, idleTimeout: 255 },
    websocket: SOCKETS,
  })
    .use(requestLog(log))
    .use(requestMetrics(metrics))
    .use(errorAnswers(log.failure))
    .use(crossOrigin(config.corsOrigins))
    .use(docs(VERSION))
    .use(health(pool, VERSION, sessions))
    .use(metricsRoute(metrics, keys))
    .use(modelsInfo({ pool, models, poseModels, store, cachesFeatures, version: VERSION, keys }))
    .get('/', () => ({ name: 'triptych', version: VERSION, status: 'running', docs: '/docs' }), {
      detail: { hide: true },
    })
    .use(depthRoutes(depth, keys, bodies))
    .use(visualizationRoutes(visualizations))
    .use(segmentRoutes({ service: segment, visualizations, keys, bodies }))
    .use(poseRoutes({ service: pose, finder: maskFinder(segment), keys, bodies }))
    .use(
      foundationPoseRoute({
        service: pose,
        folder: config.poseDir || null,
        keys,
        bodies,
        onFailure: failed('/foundationpose'),
      }),
    )
    .use(videoRoutes({ service: video, keys, bodies, onFailure: failed('/api/v1/video') }))
    .use(
      videoSocketRoute({
        service: video,
        keys,
        onFailure: failed('/api/v1/video/ws'),
        origins: config.corsOrigins,
      }),
    )
    .onStop(() => video.stop());
}

function createServices({ config, pool, store }: AppParts) {
  const limits = {
    maxBytes: config.maxUploadMb * MEBI,
    maxPixels: config.maxImageMegapixels * 1e6,
    fetchTimeoutMs: config.fetchTimeoutSeconds * 1000,
  };
  const { strictModels, maxInputSize, maxMeshTriangles: maxTriangles } = config;
  const threshold = config.confidenceThreshold;
  const queueTimeoutMs = config.queueTimeoutSeconds * 1000;
  const models = new SegmentModels(store, {
    strict: strictModels,
    checkpoint: config.sam3Checkpoint || null,
  });
  const poseModels = new PoseModels(store);
  return {
    depth: new DepthService({ pool, store, limits, strictModels, maxInputSize, queueTimeoutMs }),
    models,
    segment: new SegmentService({ pool, models, limits, threshold, queueTimeoutMs }),
    pose: new PoseService({ pool, models: poseModels, limits, maxTriangles, queueTimeoutMs }),
    poseModels,
    video: new VideoService({
      pool,
      models,
      source: {
        maxBytes: limits.maxBytes,
        maxPixels: limits.maxPixels,
        maxFrames: config.maxVideoFrames,
        maxDurationSeconds: config.maxVideoSeconds,
        root: config.videoRoot || undefined,
        fetch: { timeoutMs: limits.fetchTimeoutMs },
      },
      uploadFolder: join(cacheDirectory(), 'uploads'),
      uploadBytes: config.videoQuotaMb * MEBI,
      enabled: config.videoModelEnabled,
      maxSessions: config.maxConcurrentSessions,
      timeoutMs: config.sessionTimeoutSeconds * 1000,
      queueTimeoutMs,
      threshold,
    }),
    visualizations: new VisualizationStore({
      maxBytes: VISUALIZATION_BYTES,
      ttlMs: config.visualizationTtlSeconds * 1000,
    }),
  };
}

/** Features do not know each other: pose asks for masks, segmentation finds them. */
function maskFinder(segment: SegmentService): MaskFinder {
  return { find: (image, prompt, options) => findMask(segment, image, prompt, options) };
}

/** Lets pages of these origins call; without any, browsers refuse on their own. */
function crossOrigin(origins: readonly string[]) {
  if (origins.length === 0) return new Elysia();
  return cors({
    origin: origins.includes('*') ? true : [...origins],
    // A key is a header that the page sets itself; cookies mean nothing here.
    credentials: false,
    // The plugin's default exposes the names of the request's headers.
    exposeHeaders: [
      'Server-Timing',
      'Retry-After',
      'WWW-Authenticate',
      ...FACT_HEADERS,
      ...SEGMENT_HEADERS,
    ],
  });
}

export type App = ReturnType<typeof createApp>;
