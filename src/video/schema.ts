import { type Static, Type as t } from '@sinclair/typebox';
import { FormFile, OneOf } from '../api/schema.ts';
import { MAX_PROMPTS, maskFormat, prompt } from '../sam/prompt_schema.ts';
import { sessionId } from './answers.ts';

const EXAMPLE_BOX = [0.2, 0.3, 0.4, 0.5];

/** GPUs that may be listed. */
const MAX_GPUS = 64;

export const SessionPath = t.Object({ session_id: sessionId });

export const ObjectPath = t.Object({
  session_id: sessionId,
  obj_id: t.String({
    pattern: '^[0-9]{1,9}$',
    description: 'An object of the session, a whole number',
    examples: ['1'],
  }),
});

const model = t.Optional(
  t.String({
    minLength: 1,
    maxLength: 100,
    description:
      'Id of the model to use; without it the best installed one that follows objects answers',
    examples: ['segment-mini'],
  }),
);

export const StartBody = t.Object(
  {
    video: t.Optional(
      t.Union([FormFile()], {
        description: 'In multipart/form-data: the file itself',
      }),
    ),
    video_url: t.Optional(
      t.String({
        description: 'An http(s) URL of the video. Addresses that are not public are refused',
        examples: ['https://example.com/video.mp4'],
      }),
    ),
    video_base64: t.Optional(
      t.String({ description: 'The file as base64 or a data URL', examples: ['AAAAIGZ0eXBpc29t'] }),
    ),
    video_path: t.Optional(
      t.String({
        description:
          'A file, or a folder of JPEG or PNG frames in natural order, on the server: absolute or from its video root (--video-root); without a root this is refused',
        examples: ['clips/street.mp4'],
      }),
    ),
    session_id: t.Optional(
      t.String({
        description:
          'Id of the new session: 1 to 128 letters, digits, dots, dashes and underscores, first a letter or digit; made up without one',
        examples: ['custom-session-id'],
      }),
    ),
    gpu_ids: t.Optional(
      t.Array(t.Integer({ minimum: 0 }), {
        minItems: 1,
        maxItems: MAX_GPUS,
        uniqueItems: true,
        description:
          "GPUs that the client would like, each once. Checked, but a hint: a session lives on one engine, on the server's own device",
        examples: [[0]],
      }),
    ),
    model,
  },
  {
    description:
      'MP4, MOV, WebM or MKV with H.264, H.265, VP9 or AV1. One of video, video_url, video_base64, video_path',
    examples: [{ video_url: 'https://example.com/video.mp4', session_id: 'custom-session-id' }],
  },
);

export const PromptBody = t.Object(
  {
    frame_index: t.Integer({
      minimum: 0,
      description: 'The frame that the prompts are on, counted from 0',
      examples: [0],
    }),
    prompts: t.Array(prompt, {
      minItems: 1,
      maxItems: MAX_PROMPTS,
      description: `1 to ${MAX_PROMPTS} prompts, as in /api/v1/image/segment: every instance of a text becomes an object, each point prompt is one. With obj_id all are points and a box on that object`,
      examples: [[{ type: 'point', points: [[0.5, 0.5]], point_labels: [1] }]],
    }),
    obj_id: t.Optional(
      t.Integer({
        minimum: 1,
        description:
          'The object to correct: points are added to those it has on the frame, a box replaces them. null or absent: new objects',
        examples: [1],
      }),
    ),
    mode: t.Optional(
      OneOf(['concept', 'instance'], {
        default: 'concept',
        description:
          'What box prompts mean. concept: examples, everything alike becomes an object. instance: each box with label true is around one object. With obj_id always instance',
        examples: ['concept'],
      }),
    ),
    confidence_threshold: t.Optional(
      t.Number({
        minimum: 0,
        maximum: 1,
        description:
          "Instances of a text with a lower score are left out; without it the server's own, 0.5 unless set",
        examples: [0.5],
      }),
    ),
    mask_format: maskFormat,
  },
  {
    examples: [
      {
        frame_index: 0,
        prompts: [
          { type: 'text', text: 'red car' },
          { type: 'box', box: EXAMPLE_BOX, label: true },
        ],
        obj_id: null,
      },
    ],
  },
);

/** Of a request over HTTP, and, without `stream`, over the WebSocket. */
const propagation = {
  direction: t.Optional(
    OneOf(['forward', 'backward', 'both'], {
      default: 'both',
      description: 'both: forward from the start frame, then backward from it',
      examples: ['both'],
    }),
  ),
  start_frame_index: t.Optional(
    t.Integer({
      minimum: 0,
      default: 0,
      description: 'The frame to begin with',
      examples: [0],
    }),
  ),
  max_frames: t.Optional(
    t.Integer({
      minimum: 1,
      description:
        'Frames in each direction at most, the start frame among them; null or absent: all',
      examples: [100],
    }),
  ),
  track_new: t.Optional(
    t.Boolean({
      default: false,
      description:
        "Also look for new instances of the session's texts on each frame, and follow them from there. In an answer as a whole (no stream), one that detection does not confirm on 8 of its first 15 frames (those on which it is in sight), or that doubles another on 8, is taken back",
      examples: [false],
    }),
  ),
  mask_format: maskFormat,
};

export const PropagateMessage = t.Object(propagation);

export const PropagateBody = t.Object(
  {
    ...propagation,
    stream: t.Optional(
      t.Boolean({
        default: false,
        description:
          'Answer frame by frame as newline-delimited JSON, with the messages of the WebSocket',
        examples: [false],
      }),
    ),
  },
  { examples: [{ direction: 'both', start_frame_index: 0, max_frames: 100, stream: false }] },
);

export type StartFields = Static<typeof StartBody>;
export type PromptFields = Static<typeof PromptBody>;
export type PropagateMessage = Static<typeof PropagateMessage>;
