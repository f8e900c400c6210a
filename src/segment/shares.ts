import { HttpError } from '../api/errors.ts';
import { ModelError } from '../models/errors.ts';
import type { SegmentModel, SegmentNeed } from '../models/segment_contracts.ts';
import type { SegmentModels } from '../sam/models.ts';
import type { PlannedPrompt } from '../sam/prompts.ts';

/** The prompts of a request that one model answers. */
export interface Share {
  readonly model: SegmentModel;
  readonly tokenizerFile: string | null;
  readonly exact: boolean;
  readonly prompts: readonly PlannedPrompt[];
}

interface Asked {
  readonly prompts: readonly PlannedPrompt[];
  readonly model: string | null;
}

/**
 * Which models answer a request's prompts: one where it takes them all, so that the picture is
 * encoded once, else one for the concepts and one for the clicks.
 *
 * @throws ModelNotInstalledError where a kind of prompt has no model
 * @throws HttpError 422 for a model that is none, or takes no such prompts
 */
export function modelsFor(
  { prompts, model }: Asked,
  models: SegmentModels,
  device: 'webgpu' | 'cpu',
): Share[] {
  const find = (need: SegmentNeed) => {
    try {
      return models.find({ need, model: model ?? undefined }, device);
    } catch (error) {
      throw isAskedWrongly(error) ? new HttpError(422, `model: ${error.message}`) : error;
    }
  };
  const concepts = prompts.filter(({ ask }) => ask.type === 'concept');
  const clicks = prompts.filter(({ ask }) => ask.type === 'click');
  if (clicks.length === 0) return [{ ...find('concept'), prompts }];
  if (concepts.length === 0) return [{ ...find('click'), prompts }];
  const forConcepts = find('concept');
  if (forConcepts.model.click) return [{ ...forConcepts, prompts }];
  return [
    { ...forConcepts, prompts: concepts },
    { ...find('click'), prompts: clicks },
  ];
}

function isAskedWrongly(error: unknown): error is ModelError {
  return error instanceof ModelError && ['unknown-model', 'usage'].includes(error.code);
}
