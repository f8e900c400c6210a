import type { Static } from '@sinclair/typebox';
import type { MaskFormat } from '../sam/prompt_schema.ts';
import type {
  CachedFeaturesAnswer,
  CachedFeaturesBody,
  SegmentAnswer,
  SegmentFields,
} from '../segment/schema.ts';
import { post } from './body.ts';
import { type ClientOptions, expectType, readJson, request } from './connection.ts';

const SEGMENT = 'api/v1/image/segment';
const CACHED_FEATURES = 'api/v1/image/cached-features';
const PNG = 'image/png';

export type CachedFeaturesFields = Static<typeof CachedFeaturesBody>;

/** COCO's run lengths as pycocotools takes them; `size` is [height, width]. */
export interface RleObject {
  readonly size: readonly [number, number];
  readonly counts: string;
}

/**
 * A mask of a form: `rle` is a string for {@link decodeMask}, `png` base64 of a file, `polygons` are
 * [x0, y0, x1, y1, …] each, in pixels.
 */
export type MaskOf<Format extends MaskFormat> = Format extends 'rle_object'
  ? RleObject
  : Format extends 'polygons'
    ? number[][]
    : string;

/** Fields with the form of the masks, which decides the answer's type. */
export type InFormat<Fields, Format extends MaskFormat> = Omit<Fields, 'mask_format'> & {
  readonly mask_format?: Format;
};

/** The documented answer, its masks in the form asked for. */
export type Segmented<Format extends MaskFormat = 'rle'> = Omit<SegmentAnswer, 'masks'> & {
  readonly masks: MaskOf<Format>[];
};

type ConceptResult = CachedFeaturesAnswer['results'][number];

/** The documented answer, its masks in the form asked for. */
export type SegmentedConcepts<Format extends MaskFormat = 'rle'> = Omit<
  CachedFeaturesAnswer,
  'results'
> & {
  readonly results: (Omit<ConceptResult, 'masks'> & { readonly masks: MaskOf<Format>[] })[];
};

/**
 * `POST /api/v1/image/segment`: masks of what texts, boxes and clicks describe, each with its box
 * ([cx, cy, w, h] as fractions of the image), its score in [0, 1] and the prompt it came from.
 *
 * @param fields the request's fields as documented; coordinates are fractions of the image; `image`
 *   as base64 or a URL goes as JSON, as a Blob in a form, which is smaller
 * @returns the documented JSON, whose masks {@link decodeMask} reads
 * @throws ApiError, NoAnswerError
 *
 * @example
 * const prompts = [{ text: 'red ball' }, { points: [[0.3, 0.4]] }];
 * const { masks, scores, prompt_indices } = await segmentImage({ image, prompts });
 */
export function segmentImage<Format extends MaskFormat = 'rle'>(
  fields: InFormat<SegmentFields, Format>,
  options: ClientOptions = {},
): Promise<Segmented<Format>> {
  const sent = { ...post(fields), accept: 'application/json' };
  return request(SEGMENT, sent, options, readJson<Segmented<Format>>);
}

/**
 * `POST /api/v1/image/cached-features`: masks of several texts, text by text. The picture is encoded
 * once, and the server keeps its features for the next request on it, here or to
 * {@link segmentImage}.
 *
 * @throws ApiError, NoAnswerError
 *
 * @example
 * const text_prompts = ['red ball', 'blue box'];
 * const { results, cache_hit } = await segmentWithCachedFeatures({ image, text_prompts });
 * for (const { prompt, num_masks } of results) console.log(prompt, num_masks);
 */
export function segmentWithCachedFeatures<Format extends MaskFormat = 'rle'>(
  fields: InFormat<CachedFeaturesFields, Format>,
  options: ClientOptions = {},
): Promise<SegmentedConcepts<Format>> {
  const sent = { ...post(fields), accept: 'application/json' };
  return request(CACHED_FEATURES, sent, options, readJson<SegmentedConcepts<Format>>);
}

/**
 * The picture with masks, outlines, labels and scores drawn over it, as a PNG file.
 *
 * @throws ApiError, NoAnswerError
 *
 * @example
 * await Bun.write('overlay.png', await segmentOverlay({ image, prompts: [{ text: 'red ball' }] }));
 */
export function segmentOverlay(
  fields: Omit<SegmentFields, 'mask_format' | 'return_visualization'>,
  options: ClientOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  return request(SEGMENT, { ...post(fields), accept: PNG }, options, async (response) => {
    expectType(response, PNG);
    return new Uint8Array(await response.arrayBuffer());
  });
}
