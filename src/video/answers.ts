import { type Static, Type as t } from '@sinclair/typebox';
import { OneOf } from '../api/schema.ts';
import { mask } from '../sam/prompt_schema.ts';

const EXAMPLE_ID = 'session-12345';
const EXAMPLE_MASK = 'PPYo0aYbA1O2N1O1O1';
const EXAMPLE_BOX = [0.2, 0.3, 0.4, 0.5];

export const sessionId = t.String({
  description: 'The session',
  examples: [EXAMPLE_ID],
});

const status = OneOf(['ready', 'processing', 'error', 'closed'], {
  description:
    'ready: takes prompts; processing: propagates; error: its engine was lost, it can only be closed; closed: is being closed',
  examples: ['ready'],
});

const megabytes = (description: string) => t.Number({ description, examples: [12.5] });

export const StartAnswer = t.Object({
  session_id: sessionId,
  video_info: t.Object(
    {
      total_frames: t.Integer({ description: 'Frames', examples: [300] }),
      fps: t.Number({ description: 'Frames a second, on average', examples: [30] }),
      resolution: t.Object(
        {
          width: t.Integer({ description: 'Pixels', examples: [1920] }),
          height: t.Integer({ description: 'Pixels', examples: [1080] }),
        },
        {
          description: 'Of every frame, after rotation',
          examples: [{ width: 1920, height: 1080 }],
        },
      ),
      duration_seconds: t.Number({ description: 'Seconds', examples: [10] }),
      codec: t.String({ description: 'Of the frames', examples: ['h264'] }),
      container: t.String({ description: 'Of the file; or folder', examples: ['mp4'] }),
    },
    { description: 'Read from the file' },
  ),
  status,
  model: t.String({ description: 'The model that follows objects', examples: ['segment-mini'] }),
  model_exact: t.Boolean({ description: 'Whether that is the model asked for', examples: [true] }),
});

export const PromptAnswer = t.Object({
  frame_index: t.Integer({ description: 'The frame', examples: [0] }),
  obj_id: t.Array(t.Integer(), {
    description: 'Ids of the objects that were started or corrected; empty where nothing was found',
    examples: [[1]],
  }),
  masks: t.Array(mask, { description: 'Their masks', examples: [[EXAMPLE_MASK]] }),
  boxes: t.Array(t.Array(t.Number()), {
    description:
      "The masks' tight boxes, each [cx, cy, w, h] as fractions of the frame; all 0 for an empty mask",
    examples: [[EXAMPLE_BOX]],
  }),
  scores: t.Array(t.Number(), { description: 'In [0, 1]', examples: [[0.92]] }),
  prompt_indices: t.Array(t.Integer(), {
    description: 'For each object the prompt that it answers, counted from 0',
    examples: [[0]],
  }),
  status: t.Literal('prompt_added', { description: 'prompt_added', examples: ['prompt_added'] }),
});

const trackedObject = t.Object({
  id: t.Integer({ description: 'Of the object', examples: [1] }),
  mask,
  box: t.Array(t.Number(), {
    description: 'The tight box of the mask, [cx, cy, w, h] as fractions of the frame',
    examples: [EXAMPLE_BOX],
  }),
  score: t.Number({ description: 'In [0, 1]; 0 while it is not to be seen', examples: [0.91] }),
  present: t.Boolean({
    description: 'Whether it is to be seen; where not, its mask is empty',
    examples: [true],
  }),
});

const frameResult = {
  frame_index: t.Integer({ description: 'The frame', examples: [5] }),
  objects: t.Array(trackedObject, {
    description: 'All objects that are followed',
    examples: [[{ id: 1, mask: EXAMPLE_MASK, box: EXAMPLE_BOX, score: 0.91, present: true }]],
  }),
};

export const PropagateAnswer = t.Object({
  session_id: sessionId,
  results: t.Record(t.String(), t.Object(frameResult), {
    description: 'Results by frame index',
    examples: [{ '5': { frame_index: 5, objects: [] } }],
  }),
  total_frames: t.Integer({ description: 'Frames that were processed', examples: [2] }),
  processing_time_ms: t.Number({ description: 'Milliseconds', examples: [450.2] }),
});

export const StatusAnswer = t.Object({
  session_id: sessionId,
  status,
  current_objects: t.Integer({ description: 'Objects that are followed', examples: [3] }),
  frames_processed: t.Integer({
    description: 'Different frames that were propagated to since the start or the last reset',
    examples: [50],
  }),
  total_frames: t.Integer({ description: 'Frames of the video', examples: [300] }),
  gpu_memory_used_mb: megabytes(
    'MiB that its objects and frames hold on the device; of main memory where that is the CPU',
  ),
  progress: t.Union([t.Number(), t.Null()], {
    description: 'Of the propagation that is going on, in [0, 1]; null without one',
    examples: [0.5],
  }),
  estimated_seconds_left: t.Union([t.Number(), t.Null()], {
    description: 'Of that propagation, at its speed so far; null before its first frame',
    examples: [12.3],
  }),
  error: t.Union([t.String(), t.Null()], {
    description: 'Why its status is error',
    examples: [null],
  }),
  model: t.String({ description: 'The model that follows objects', examples: ['segment-mini'] }),
});

export const RemoveAnswer = t.Object({
  session_id: sessionId,
  obj_id: t.Integer({ description: 'The object', examples: [1] }),
  status: t.Literal('removed', { description: 'removed', examples: ['removed'] }),
});

export const ResetAnswer = t.Object({
  session_id: sessionId,
  status: t.Literal('reset', { description: 'reset', examples: ['reset'] }),
  objects_cleared: t.Integer({ description: 'Objects that there were', examples: [3] }),
});

export const CloseAnswer = t.Object({
  session_id: sessionId,
  status: t.Literal('closed', { description: 'closed', examples: ['closed'] }),
  memory_freed_mb: megabytes('MiB that the device got back'),
});

export const SessionsAnswer = t.Object({
  sessions: t.Array(
    t.Object({
      session_id: sessionId,
      type: t.Literal('video', { description: 'video', examples: ['video'] }),
      created_at: t.String({
        description: 'ISO 8601, UTC',
        examples: ['2023-10-15T10:30:00.000Z'],
      }),
      status,
      objects_count: t.Integer({ description: 'Objects that are followed', examples: [3] }),
    }),
    { description: 'Open sessions, the oldest first' },
  ),
  total_sessions: t.Integer({ description: 'How many there are', examples: [1] }),
});

export type StartAnswer = Static<typeof StartAnswer>;
export type PromptAnswer = Static<typeof PromptAnswer>;
export type PropagateAnswer = Static<typeof PropagateAnswer>;
export type FrameAnswer = PropagateAnswer['results'][string];
export type StatusAnswer = Static<typeof StatusAnswer>;
export type SessionsAnswer = Static<typeof SessionsAnswer>;

/** What a stream consists of: frames, then one of the others. */
export type StreamMessage =
  | ({ readonly type: 'frame' } & FrameAnswer)
  | { readonly type: 'complete'; readonly total_frames: number; readonly cancelled?: true }
  | { readonly type: 'error'; readonly error: string };
