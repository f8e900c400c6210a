import { negotiate } from '../api/negotiate.ts';
import { serverTiming } from '../api/server_timing.ts';
import { centreBox, writeMask } from '../sam/mask_values.ts';
import type { MaskFormat, MaskValue } from '../sam/prompt_schema.ts';
import type { Size } from '../sam/types.ts';
import type { CachedFeaturesAnswer, SegmentAnswer } from './schema.ts';
import type { AnsweredMask, SegmentResult } from './service.ts';

const JSON_TYPE = 'application/json';
const PNG = 'image/png';

/** How masks are to be written; decided before anything is computed. */
export type SegmentForm = typeof JSON_TYPE | typeof PNG;

/** @throws HttpError 406 when nothing acceptable is offered */
export function chooseSegmentForm(accept: string | null): SegmentForm {
  return negotiate(accept, [JSON_TYPE, PNG]);
}

/** @throws HttpError 406 when JSON is not acceptable */
export function requireJson(accept: string | null): void {
  negotiate(accept, [JSON_TYPE]);
}

/** The masks as the documented JSON. */
export async function respondSegment(
  result: SegmentResult,
  format: MaskFormat,
  visualizationUrl: string | null,
): Promise<Response> {
  const started = performance.now();
  const { masks, size } = result;
  const answer: SegmentAnswer = {
    ...(await describeMasks(masks, size, format)),
    prompt_indices: masks.map(({ prompt }) => prompt.index),
    image_size: size,
    visualization_url: visualizationUrl,
    ...facts(result),
  };
  return json(answer, result, started);
}

/** The masks text by text, as the documented JSON. */
export async function respondConcepts(
  result: SegmentResult,
  texts: readonly string[],
  format: MaskFormat,
): Promise<Response> {
  const started = performance.now();
  const { masks, size } = result;
  const results: CachedFeaturesAnswer['results'] = [];
  for (const [index, prompt] of texts.entries()) {
    const own = masks.filter((mask) => mask.prompt.index === index);
    results.push({ prompt, ...(await describeMasks(own, size, format)) });
  }
  return json({ results, ...facts(result) } satisfies CachedFeaturesAnswer, result, started);
}

/** What the JSON says beside the masks, for the picture, which has no room for it. */
export const SEGMENT_HEADERS = ['X-Num-Masks', 'X-Model', 'X-Model-Exact', 'X-Cache-Hit'] as const;

/** The picture itself with the masks drawn over it. */
export function respondOverlay(result: SegmentResult, png: Uint8Array<ArrayBuffer>): Response {
  const { masks, model, exact, cacheHit, timings } = result;
  const facts: Record<(typeof SEGMENT_HEADERS)[number], string> = {
    'X-Num-Masks': String(masks.length),
    'X-Model': model,
    'X-Model-Exact': String(exact),
    'X-Cache-Hit': String(cacheHit),
  };
  const headers = { 'Content-Type': PNG, 'Server-Timing': serverTiming(timings), ...facts };
  return new Response(png, { headers });
}

async function describeMasks(masks: readonly AnsweredMask[], size: Size, format: MaskFormat) {
  // One after another: a picture of each mask at once would be many times the picture's size.
  const values: MaskValue[] = [];
  for (const { counts } of masks) values.push(await writeMask(counts, size, format));
  return {
    masks: values,
    boxes: masks.map(({ box }) => centreBox(box, size)),
    scores: masks.map(({ score }) => score),
    num_masks: masks.length,
  };
}

function facts({ cacheHit, model, exact, elapsedMs }: SegmentResult) {
  return {
    cache_hit: cacheHit,
    model,
    model_exact: exact,
    inference_time_ms: Math.round(elapsedMs * 100) / 100,
  };
}

function json(answer: object, result: SegmentResult, started: number): Response {
  const body = JSON.stringify(answer);
  const timings = { ...result.timings, respond: performance.now() - started };
  const headers = { 'Content-Type': JSON_TYPE, 'Server-Timing': serverTiming(timings) };
  return new Response(body, { headers });
}
