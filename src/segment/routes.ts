import { Elysia } from 'elysia';
import type { Authentication } from '../api/auth.ts';
import type { BodyReader } from '../api/body.ts';
import { documentation } from '../api/schema.ts';
import { plainFields } from '../sam/prompt_fields.ts';
import { planPrompts, planTexts } from '../sam/prompts.ts';
import {
  chooseSegmentForm,
  requireJson,
  respondConcepts,
  respondOverlay,
  respondSegment,
} from './respond.ts';
import {
  CachedFeaturesAnswer,
  CachedFeaturesBody,
  SEGMENT_ERRORS,
  SegmentAnswer,
  SegmentBody,
} from './schema.ts';
import type { SegmentService } from './service.ts';
import { visualizationUrl } from './visualization_routes.ts';
import type { VisualizationStore } from './visualizations.ts';

interface SegmentRouteParts {
  readonly service: SegmentService;
  readonly visualizations: VisualizationStore;
  readonly keys: Authentication;
  readonly bodies: BodyReader;
}

/** `POST /api/v1/image/segment` and `/api/v1/image/cached-features`. */
export function segmentRoutes({ service, visualizations, keys, bodies }: SegmentRouteParts) {
  return new Elysia({ name: 'segment', tags: ['segmentation'] })
    .use(keys)
    .onParse({ as: 'local' }, async ({ request }) => plainFields(await bodies.read(request)))
    .post(
      '/api/v1/image/segment',
      async ({ body, request }) => {
        const form = chooseSegmentForm(request.headers.get('accept'));
        const query = {
          source: body,
          prompts: planPrompts(body.prompts, body.mode),
          threshold: body.confidence_threshold ?? null,
          model: body.model ?? null,
          draws: form === 'image/png' || body.return_visualization === true,
        };
        const result = await service.segment(query, request.signal);
        const { overlay } = result;
        if (overlay && form === 'image/png') return respondOverlay(result, overlay);
        const url = overlay && visualizationUrl(visualizations.add(overlay), request);
        return respondSegment(result, body.mask_format ?? 'rle', url);
      },
      {
        body: SegmentBody,
        detail: documentation({
          summary: 'Segment an image by texts, boxes and points',
          description:
            'Masks of what the prompts describe, each with its box, score and the prompt it came from.',
          answer: SegmentAnswer,
          forms: { 'image/png': 'The picture with masks, outlines, labels and scores over it' },
          errors: SEGMENT_ERRORS,
        }),
      },
    )
    .post(
      '/api/v1/image/cached-features',
      async ({ body, request }) => {
        requireJson(request.headers.get('accept'));
        const query = {
          source: body,
          prompts: planTexts(body.text_prompts),
          threshold: body.confidence_threshold ?? null,
          model: body.model ?? null,
          draws: false,
        };
        const result = await service.segment(query, request.signal);
        return respondConcepts(result, body.text_prompts, body.mask_format ?? 'rle');
      },
      {
        body: CachedFeaturesBody,
        detail: documentation({
          summary: 'Segment an image by several texts at once',
          description:
            'Masks text by text. The picture is encoded once for all of them, and its features are kept, so that the next request on it, here or at /segment, pays for its prompts alone.',
          answer: CachedFeaturesAnswer,
          errors: SEGMENT_ERRORS,
        }),
      },
    );
}
