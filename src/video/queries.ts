import { planPrompts, planRefinement } from '../sam/prompts.ts';
import type { PropagationQuery } from './frame_plan.ts';
import type { PromptFields, PropagateMessage, StartFields } from './schema.ts';
import type { PromptQuery, StartQuery } from './service.ts';

/** A new session's fields with defaults filled in. */
export function startQuery(fields: StartFields): StartQuery {
  const { video, video_url, video_base64, video_path, session_id, model } = fields;
  return { source: { video, video_url, video_base64, video_path }, id: session_id, model };
}

/**
 * Prompts as the engine is asked.
 *
 * @throws HttpError 422 naming the prompt and its field
 */
export function promptQuery(fields: PromptFields): PromptQuery {
  const { frame_index: frame, prompts, obj_id: object, mode, confidence_threshold } = fields;
  const ask =
    object === undefined
      ? { prompts: planPrompts(prompts, mode) }
      : { object, click: planRefinement(prompts) };
  return { frame, ask, threshold: confidence_threshold ?? null };
}

/**
 * A propagation's fields with defaults filled in.
 *
 * @param isWhole whether nothing is sent before the end
 */
export function propagationQuery(
  fields: PropagateMessage,
  { isWhole }: { isWhole: boolean },
): PropagationQuery {
  return {
    direction: fields.direction ?? 'both',
    start: fields.start_frame_index ?? 0,
    maxFrames: fields.max_frames ?? null,
    trackNew: fields.track_new ?? false,
    settle: isWhole,
  };
}
