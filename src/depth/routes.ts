import { Elysia } from 'elysia';
import type { Authentication } from '../api/auth.ts';
import type { BodyReader } from '../api/body.ts';
import { HttpError } from '../api/errors.ts';
import { documentation } from '../api/schema.ts';
import { chooseCloudForm, chooseDepthForm, respondCloud, respondDepth } from './respond.ts';
import {
  ColormapQuery,
  DEPTH_ERRORS,
  DepthAnswer,
  MetricDepthBody,
  type MetricDepthFields,
  PointCloudAnswer,
  PointCloudBody,
  type PointCloudFields,
  RelativeDepthBody,
  type RelativeDepthFields,
} from './schema.ts';
import type { DepthQuery, DepthService } from './service.ts';

const ARRAY_FORMS = {
  'application/octet-stream': 'Little-endian float32, row-major; shape and facts in X- headers',
  'application/x-npy': 'The same as a NumPy file',
};

/** `POST /pc`, `/metric_depth` and `/rel_depth`. */
export function depthRoutes(service: DepthService, keys: Authentication, bodies: BodyReader) {
  return new Elysia({ name: 'depth', tags: ['depth'] })
    .use(keys)
    .onParse({ as: 'local' }, ({ request }) => bodies.read(request))
    .post(
      '/rel_depth',
      async ({ body, query, request }) => {
        const unit = body.relative_model ? 'none' : 'fraction of max_depth';
        const form = chooseDepthForm(request.headers.get('accept'), unit, query.colormap);
        return respondDepth(await service.predict(relativeQuery(body), request.signal), form);
      },
      {
        body: RelativeDepthBody,
        query: ColormapQuery,
        detail: documentation({
          summary: 'Relative depth map',
          description:
            'Depth of each pixel in (0, 1), larger is farther; or disparity from the relative model, larger is nearer.',
          answer: DepthAnswer,
          forms: { ...ARRAY_FORMS, 'image/png': 'A colour picture, with ?colormap=' },
          errors: DEPTH_ERRORS,
        }),
      },
    )
    .post(
      '/metric_depth',
      async ({ body, query, request }) => {
        const form = chooseDepthForm(request.headers.get('accept'), 'metre', query.colormap);
        return respondDepth(await service.predict(metricQuery(body), request.signal), form);
      },
      {
        body: MetricDepthBody,
        query: ColormapQuery,
        detail: documentation({
          summary: 'Metric depth map',
          description: 'Depth of each pixel in metres along the optical axis, larger is farther.',
          answer: DepthAnswer,
          forms: {
            ...ARRAY_FORMS,
            'image/png': '16-bit grey, millimetres; with ?colormap= a colour picture',
          },
          errors: DEPTH_ERRORS,
        }),
      },
    )
    .post(
      '/pc',
      async ({ body, request }) => {
        const form = chooseCloudForm(request.headers.get('accept'), body.colors ?? false);
        return respondCloud(await service.predict(cloudQuery(body), request.signal), form);
      },
      {
        body: PointCloudBody,
        detail: documentation({
          summary: 'Point cloud',
          description:
            'The 3-D point of each pixel, row-major, in the camera frame of OpenCV (x right, y down, z forward), in metres.',
          answer: PointCloudAnswer,
          forms: { ...ARRAY_FORMS, 'model/ply': 'Binary PLY, with colours if asked for' },
          errors: DEPTH_ERRORS,
        }),
      },
    );
}

function sharedQuery(body: RelativeDepthFields) {
  return {
    source: { image: body.image, image_url: body.image_url },
    encoder: body.encoder ?? 'vitl',
    dataset: body.dataset ?? 'hypersim',
    modelInputSize: body.model_input_size ?? 518,
  } as const;
}

/** The documented `/rel_depth` is the metric model with max_depth 1. */
function relativeQuery(body: RelativeDepthFields): DepthQuery {
  const kind = body.relative_model ? 'relative' : 'metric';
  return { ...sharedQuery(body), kind, maxDepth: 1, cloud: null };
}

function metricQuery(body: MetricDepthFields): DepthQuery {
  return {
    ...sharedQuery(body),
    kind: 'metric',
    maxDepth: checkMaxDepth(body.max_depth),
    cloud: null,
  };
}

function cloudQuery(body: PointCloudFields): DepthQuery {
  const cloud = {
    intrinsics: body.camera_intrinsics,
    stride: body.stride ?? 1,
    depthRange: checkRange(body.depth_range),
    colors: body.colors ?? false,
  };
  return { ...sharedQuery(body), kind: 'metric', maxDepth: checkMaxDepth(body.max_depth), cloud };
}

/** Absent is the trained range; null is not, because the documented servers refuse it. */
function checkMaxDepth(maxDepth: number | null | undefined): number | null {
  if (maxDepth === undefined) return null;
  if (maxDepth !== null && maxDepth >= MIN_METRES && maxDepth <= MAX_METRES) return maxDepth;
  throw new HttpError(
    400,
    `max_depth: expected metres above 0 (${MIN_METRES} to ${MAX_METRES}), given ${maxDepth}: leave it out for the range the model was trained to`,
  );
}

/** What float32 holds with room to spare, and more than any camera sees. */
const MIN_METRES = 1e-6;
const MAX_METRES = 1e6;

function checkRange(range: readonly number[] | undefined): [number, number] | null {
  if (!range) return null;
  const [near, far] = range;
  if (near <= far) return [near, far];
  throw new HttpError(422, `depth_range: expected [near, far] with near ≤ far, given [${range}]`);
}
