import { HttpError } from '../api/errors.ts';
import type { RgbImage } from '../media/image.ts';
import { maskFromCounts } from '../media/rle_pixels.ts';
import type { PromptFields } from '../sam/prompt_schema.ts';
import { planPrompts } from '../sam/prompts.ts';
import type { SegmentService } from './service.ts';

/** What {@link findMask} is told beside the prompt. */
interface FindOptions {
  /** Masks of a lower score do not count; null is the server's own threshold. */
  readonly threshold: number | null;
  /** How the request calls the prompt, for errors. */
  readonly field: string;
  readonly signal?: AbortSignal;
}

/**
 * The mask of the one object that a prompt means: of several the one with the best score. A box is
 * around the object.
 *
 * @returns its pixels, uint8 [height, width], 1 inside, and how many masks there were; null for none
 * @throws HttpError 422 naming the field; and as {@link SegmentService.segment} does
 */
export async function findMask(
  service: SegmentService,
  image: RgbImage,
  prompt: PromptFields,
  { threshold, field, signal }: FindOptions,
) {
  const prompts = planned(prompt, field);
  const query = { source: image, prompts, threshold, model: null, draws: false };
  const { masks, size, model } = await service.segment(query, signal);
  if (masks.length === 0) return null;
  const best = masks.reduce((a, b) => (b.score > a.score ? b : a));
  const mask = maskFromCounts(best.counts, size.height, size.width);
  return { mask, score: best.score, count: masks.length, model };
}

/** The plan calls it the first of a list. */
function planned(prompt: PromptFields, field: string) {
  try {
    return planPrompts([prompt], 'instance');
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    throw new HttpError(error.status, error.detail.replace(/^prompts\.0/, field));
  }
}
