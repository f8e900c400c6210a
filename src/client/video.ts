import type { Static } from '@sinclair/typebox';
import type { MaskFormat } from '../sam/prompt_schema.ts';
import type {
  CloseAnswer,
  FrameAnswer,
  PromptAnswer,
  PropagateAnswer,
  RemoveAnswer,
  ResetAnswer,
  SessionsAnswer,
  StartAnswer,
  StatusAnswer,
} from '../video/answers.ts';
import type { PromptFields, PropagateMessage, StartFields } from '../video/schema.ts';
import { post } from './body.ts';
import { type ClientOptions, readJson, request } from './connection.ts';
import type { InFormat, MaskOf } from './segment.ts';

const VIDEO = 'api/v1/video';
const JSON_TYPE = 'application/json';

/** The file itself as `video`, or where it is as `video_url` or, on the server, `video_path`. */
export type SessionFields = Omit<StartFields, 'video'> & {
  readonly video?: Blob | Uint8Array<ArrayBuffer> | ArrayBuffer;
};

/** The documented answer, its masks in the form asked for. */
export type Prompted<Format extends MaskFormat = 'rle'> = Omit<PromptAnswer, 'masks'> & {
  readonly masks: MaskOf<Format>[];
};

type FrameObject = FrameAnswer['objects'][number];

/** The objects on one frame, their masks in the form asked for. */
export type TrackedFrame<Format extends MaskFormat = 'rle'> = Omit<FrameAnswer, 'objects'> & {
  readonly objects: (Omit<FrameObject, 'mask'> & { readonly mask: MaskOf<Format> })[];
};

/** The documented answer, its masks in the form asked for. */
export type Propagated<Format extends MaskFormat = 'rle'> = Omit<PropagateAnswer, 'results'> & {
  readonly results: Readonly<Record<string, TrackedFrame<Format>>>;
};

/** Which frames, and how; the start frame comes once, first. */
export type PropagationFields<Format extends MaskFormat = 'rle'> = InFormat<
  PropagateMessage,
  Format
>;

/**
 * `POST /api/v1/video/session/start`: opens a video (MP4, MOV, WebM, MKV), in which objects can then be
 * prompted and followed. Close the session when it is done.
 *
 * @param fields one of `video`, which goes as a form, `video_url`, `video_base64` and `video_path`
 * @throws ApiError 503 while as many sessions are open as the server takes; NoAnswerError
 *
 * @example
 * const { session_id, video_info } = await startSession({ video: Bun.file('street.mp4') });
 */
export function startSession(
  fields: SessionFields,
  options: ClientOptions = {},
): Promise<StartAnswer> {
  const { video } = fields;
  const isFile = video === undefined || video instanceof Blob;
  const sent = isFile ? fields : { ...fields, video: new Blob([video]) };
  return ask(`${VIDEO}/session/start`, post(sent), options);
}

/**
 * `POST …/prompt`: starts objects on a frame, or with `obj_id` corrects one.
 *
 * @returns the documented JSON; `prompt_indices` tells which prompt each object answers
 * @throws ApiError, NoAnswerError
 *
 * @example
 * const prompts = [{ points: [[0.5, 0.6]] }];
 * const { obj_id, masks } = await addPrompts(session_id, { frame_index: 0, prompts });
 */
export function addPrompts<Format extends MaskFormat = 'rle'>(
  session: string,
  fields: InFormat<PromptFields, Format>,
  options: ClientOptions = {},
): Promise<Prompted<Format>> {
  return ask(`${pathOf(session)}/prompt`, post(fields), options);
}

/**
 * `POST …/propagate`: follows the objects, and gives all frames in one answer. For many frames
 * {@link propagateStream} is better: nothing comes here before the last one is done.
 *
 * @throws ApiError 409 while the session propagates already, 400 without an object; NoAnswerError
 */
export function propagate<Format extends MaskFormat = 'rle'>(
  session: string,
  fields: PropagationFields<Format> = {},
  options: ClientOptions = {},
): Promise<Propagated<Format>> {
  return ask(`${pathOf(session)}/propagate`, post({ ...fields, stream: false }), options);
}

/**
 * `GET …/status`: state, counts, memory, and how far a propagation has come.
 *
 * @throws ApiError 404 for a session that is not there; NoAnswerError
 */
export function getSessionStatus(
  session: string,
  options: ClientOptions = {},
): Promise<StatusAnswer> {
  return ask(`${pathOf(session)}/status`, GET, options);
}

/**
 * `DELETE …/object/{obj_id}`: the object is not followed any more.
 *
 * @throws ApiError, NoAnswerError
 */
export function removeObject(
  session: string,
  object: number,
  options: ClientOptions = {},
): Promise<Static<typeof RemoveAnswer>> {
  return ask(`${pathOf(session)}/object/${object}`, DELETE, options);
}

/**
 * `POST …/reset`: forgets all prompts and objects; the video stays open.
 *
 * @throws ApiError, NoAnswerError
 */
export function resetSession(
  session: string,
  options: ClientOptions = {},
): Promise<Static<typeof ResetAnswer>> {
  return ask(`${pathOf(session)}/reset`, post({}), options);
}

/**
 * `DELETE …`: stops what the session does, and frees its file and memory.
 *
 * @throws ApiError, NoAnswerError
 */
export function closeSession(
  session: string,
  options: ClientOptions = {},
): Promise<Static<typeof CloseAnswer>> {
  return ask(pathOf(session), DELETE, options);
}

/**
 * `GET /api/v1/video/sessions`: all open sessions, the oldest first.
 *
 * @throws ApiError, NoAnswerError
 */
export function listSessions(options: ClientOptions = {}): Promise<SessionsAnswer> {
  return ask(`${VIDEO}/sessions`, GET, options);
}

/** Of the WebSocket, from the server's address. */
export function streamPath(session: string): string {
  return `${VIDEO}/ws/propagate/${encodeURIComponent(session)}`;
}

const GET = { method: 'GET' } as const;
const DELETE = { method: 'DELETE' } as const;

function pathOf(session: string): string {
  return `${VIDEO}/session/${encodeURIComponent(session)}`;
}

function ask<Answer>(
  path: string,
  sent: typeof GET | typeof DELETE | ReturnType<typeof post>,
  options: ClientOptions,
): Promise<Answer> {
  return request(path, { ...sent, accept: JSON_TYPE }, options, readJson<Answer>);
}
