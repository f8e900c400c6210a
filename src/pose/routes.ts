import { Elysia } from 'elysia';
import type { Authentication } from '../api/auth.ts';
import type { BodyReader } from '../api/body.ts';
import { negotiate } from '../api/negotiate.ts';
import { documentation } from '../api/schema.ts';
import { EstimateAnswer, TrackAnswer } from './answers.ts';
import { type EstimateQuery, estimate } from './estimate.ts';
import { poseFields } from './fields.ts';
import type { MaskFinder } from './mask_finder.ts';
import { cameraQuery, depthQuery, objectQuery, poseQuery } from './queries.ts';
import { respondEstimate, respondTrack } from './respond.ts';
import {
  EstimateBody,
  type EstimateFields,
  POSE_ERRORS,
  TrackBody,
  type TrackFields,
} from './schema.ts';
import type { PoseService } from './service.ts';
import { type TrackQuery, track } from './track.ts';

interface PoseRouteParts {
  readonly service: PoseService;
  readonly finder: MaskFinder;
  readonly keys: Authentication;
  readonly bodies: BodyReader;
}

/** `POST /api/v1/pose/estimate` and `/api/v1/pose/track`. */
export function poseRoutes({ service, finder, keys, bodies }: PoseRouteParts) {
  return new Elysia({ name: 'pose', tags: ['pose'] })
    .use(keys)
    .onParse({ as: 'local' }, async ({ request }) => poseFields(await bodies.read(request)))
    .post(
      '/api/v1/pose/estimate',
      async ({ body, request, server }) => {
        // Nothing is sent until the last object is done, which on a CPU may be minutes.
        server?.timeout(request, 0);
        negotiate(request.headers.get('accept'), ['application/json']);
        const { signal } = request;
        const query = estimateQuery(body);
        const work = () => estimate(service, finder, query, signal);
        return respondEstimate(await service.admit(work, signal));
      },
      {
        body: EstimateBody,
        detail: documentation({
          summary: 'Poses of objects in a frame of colour and depth',
          description:
            'Where each object is in the camera frame, from its mesh and a mask, or a prompt that finds the mask. Objects are found one by one.',
          answer: EstimateAnswer,
          errors: POSE_ERRORS,
        }),
      },
    )
    .post(
      '/api/v1/pose/track',
      async ({ body, request, server }) => {
        server?.timeout(request, 0);
        negotiate(request.headers.get('accept'), ['application/json']);
        const { signal } = request;
        const query = trackQuery(body);
        return respondTrack(await service.admit(() => track(service, query, signal), signal));
      },
      {
        body: TrackBody,
        detail: documentation({
          summary: 'Poses of objects from those of the last frame',
          description:
            'Refines where each object was a frame ago: much faster than an estimate, and without a mask. The server keeps nothing between requests but the meshes it has read.',
          answer: TrackAnswer,
          errors: POSE_ERRORS,
        }),
      },
    );
}

function estimateQuery(body: EstimateFields): EstimateQuery {
  return {
    source: { image: body.image, image_url: body.image_url },
    depth: depthQuery(body),
    intrinsics: cameraQuery(body),
    objects: body.objects.map((object, i) => ({
      name: object.name ?? null,
      sent: objectQuery(object, i),
      mask: object.mask ?? null,
      prompt: object.prompt ?? null,
      checksUnits: object.check_units ?? true,
    })),
    method: body.method ?? 'auto',
    iterations: body.iterations ?? 5,
    topK: body.top_k ?? 1,
    threshold: body.confidence_threshold ?? null,
  };
}

function trackQuery(body: TrackFields): TrackQuery {
  return {
    source: { image: body.image, image_url: body.image_url },
    depth: depthQuery(body),
    intrinsics: cameraQuery(body),
    objects: body.objects.map((object, i) => ({
      name: object.name ?? null,
      sent: objectQuery(object, i),
      last: poseQuery(object.pose, `objects.${i}.pose`),
    })),
    method: body.method ?? 'auto',
    iterations: body.iterations ?? 2,
  };
}
