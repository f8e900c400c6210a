import { centreBox, writeMask } from '../sam/mask_values.ts';
import type { MaskFormat } from '../sam/prompt_schema.ts';
import type { Size } from '../sam/types.ts';
import type {
  FrameAnswer,
  PromptAnswer,
  SessionsAnswer,
  StartAnswer,
  StatusAnswer,
} from './answers.ts';
import type { VideoSession } from './session.ts';
import type { FrameObject, FrameResult } from './task.ts';

const MEBI = 2 ** 20;

export function describeStart({ id, video, state, model }: VideoSession): StartAnswer {
  const { totalFrames, fps, width, height, durationSeconds, codec, container } = video.info;
  return {
    session_id: id,
    video_info: {
      total_frames: totalFrames,
      fps,
      resolution: { width, height },
      duration_seconds: durationSeconds,
      codec,
      container,
    },
    status: state,
    model: model.model.name,
    model_exact: model.exact,
  };
}

export function describeStatus(session: VideoSession): StatusAnswer {
  const { id, state, objects, processed, video, bytes, progress, error, model } = session;
  return {
    session_id: id,
    status: state,
    current_objects: objects.length,
    frames_processed: processed.size,
    total_frames: video.info.totalFrames,
    gpu_memory_used_mb: mebibytes(bytes),
    progress: progress && progress.done / progress.planned,
    estimated_seconds_left: secondsLeft(session),
    error,
    model: model.model.name,
  };
}

export function describeSessions(sessions: readonly VideoSession[]): SessionsAnswer {
  return {
    sessions: sessions.map(({ id, createdAt, state, objects }) => ({
      session_id: id,
      type: 'video',
      created_at: createdAt.toISOString(),
      status: state,
      objects_count: objects.length,
    })),
    total_sessions: sessions.length,
  };
}

/** @param indices of the request's prompts, by what the engine was asked */
export async function describePrompt(
  frame: number,
  objects: readonly FrameObject[],
  indices: readonly number[],
  size: Size,
  format: MaskFormat,
): Promise<PromptAnswer> {
  const described = await describeObjects(objects, size, format);
  return {
    frame_index: frame,
    obj_id: described.map(({ id }) => id),
    masks: described.map(({ mask }) => mask),
    boxes: described.map(({ box }) => box),
    scores: described.map(({ score }) => score),
    prompt_indices: objects.map(({ prompt }) => indices[prompt ?? 0]),
    status: 'prompt_added',
  };
}

export async function describeFrame(
  { index, objects }: FrameResult,
  size: Size,
  format: MaskFormat,
): Promise<FrameAnswer> {
  return { frame_index: index, objects: await describeObjects(objects, size, format) };
}

/** To the byte: the smallest sessions hold little. */
export function mebibytes(bytes: number): number {
  return Number((bytes / MEBI).toFixed(6));
}

async function describeObjects(objects: readonly FrameObject[], size: Size, format: MaskFormat) {
  const described: FrameAnswer['objects'] = [];
  for (const { id, counts, box, score, present } of objects) {
    const mask = await writeMask(counts, size, format);
    described.push({ id, mask, box: centreBox(box, size), score, present });
  }
  return described;
}

function secondsLeft({ progress }: VideoSession): number | null {
  if (!progress || progress.done === 0) return null;
  const { done, planned, startedAt } = progress;
  const spent = (performance.now() - startedAt) / 1000;
  return Number(((spent / done) * (planned - done)).toFixed(3));
}
