import { Elysia } from 'elysia';
import type { Authentication } from '../api/auth.ts';
import type { BodyReader } from '../api/body.ts';
import { documentation } from '../api/schema.ts';
import { plainFields } from '../sam/prompt_fields.ts';
import {
  CloseAnswer,
  PromptAnswer,
  PropagateAnswer,
  RemoveAnswer,
  ResetAnswer,
  SessionsAnswer,
  StartAnswer,
  StatusAnswer,
} from './answers.ts';
import { collectFrames } from './collect.ts';
import { promptQuery, propagationQuery, startQuery } from './queries.ts';
import {
  describePrompt,
  describeSessions,
  describeStart,
  describeStatus,
  mebibytes,
} from './respond.ts';
import { ERRORS } from './route_errors.ts';
import { ObjectPath, PromptBody, PropagateBody, SessionPath, StartBody } from './schema.ts';
import type { VideoService } from './service.ts';
import { messagesOf, ndjson, type OnFailure } from './stream.ts';

interface VideoRouteParts {
  readonly service: VideoService;
  readonly keys: Authentication;
  readonly bodies: BodyReader;
  readonly onFailure: OnFailure;
}

const ROOT = '/api/v1/video';
const SESSION = `${ROOT}/session/:session_id`;
const NDJSON = 'application/x-ndjson';
const JSON_TYPE = 'application/json';

/** The routes of video sessions, but for the WebSocket. */
export function videoRoutes(parts: VideoRouteParts) {
  return new Elysia({ name: 'video' })
    .use(startRoute(parts))
    .use(promptRoutes(parts))
    .use(sessionRoutes(parts));
}

function startRoute({ service, keys, bodies }: VideoRouteParts) {
  return new Elysia({ name: 'video-start', tags: ['video'] })
    .use(keys)
    .onParse({ as: 'local' }, async ({ request }) => {
      service.requireRoom();
      return plainFields(await bodies.read(request));
    })
    .post(
      `${ROOT}/session/start`,
      async ({ body, request }) =>
        Response.json(describeStart(await service.start(startQuery(body), request.signal))),
      {
        body: StartBody,
        detail: documentation({
          summary: 'Start a video session',
          description:
            'Opens a video, in which objects can then be prompted and followed. Close the session when it is done; one without a request for SESSION_TIMEOUT_SECONDS is closed.',
          answer: StartAnswer,
          errors: ERRORS.start,
        }),
      },
    );
}

function promptRoutes({ service, keys, bodies, onFailure }: VideoRouteParts) {
  return new Elysia({ name: 'video-prompts', tags: ['video'] })
    .use(keys)
    .onParse({ as: 'local' }, async ({ request }) => {
      service.requireEnabled();
      return plainFields(await bodies.read(request));
    })
    .post(
      `${SESSION}/prompt`,
      async ({ body, params }) => {
        const id = params.session_id;
        const { width, height } = service.find(id).video.info;
        const query = promptQuery(body);
        const found = await service.prompt(id, query);
        const indices = 'prompts' in query.ask ? query.ask.prompts.map(({ index }) => index) : [0];
        const format = body.mask_format ?? 'rle';
        const size = { width, height };
        return Response.json(await describePrompt(query.frame, found, indices, size, format));
      },
      {
        params: SessionPath,
        body: PromptBody,
        detail: documentation({
          summary: 'Add prompts on a frame',
          description:
            'Starts objects on a frame, or corrects one with obj_id. Prompts add to earlier ones. Ids begin at 1 and do not come again in a session.',
          answer: PromptAnswer,
          errors: ERRORS.prompt,
        }),
      },
    )
    .post(
      `${SESSION}/propagate`,
      async ({ body, params, request, server }) => {
        const { signal } = request;
        const propagation = service.propagate(
          params.session_id,
          propagationQuery(body, { isWhole: !body.stream }),
          signal,
        );
        const format = body.mask_format ?? 'rle';
        if (body.stream) {
          const messages = messagesOf(propagation, format, onFailure);
          const stop = () => propagation.stop(messages);
          return new Response(ndjson(messages, stop), { headers: { 'Content-Type': NDJSON } });
        }
        // Nothing is sent until the last frame is done.
        server?.timeout(request, 0);
        const answer = await collectFrames(propagation, format);
        return new Response(answer, { headers: { 'Content-Type': JSON_TYPE } });
      },
      {
        params: SessionPath,
        body: PropagateBody,
        detail: documentation({
          summary: 'Follow the objects through the video',
          description:
            'Follows all objects of the session frame by frame. With stream true each frame is sent as soon as it is done, one JSON object a line: {"type": "frame", "frame_index", "objects"}, at the end {"type": "complete", "total_frames"}, or {"type": "error", "error"}. The WebSocket /api/v1/video/ws/propagate/{session_id} sends the same messages, to requests like this one without stream, and takes {"type": "cancel"}, and {"type": "pause"} and {"type": "resume"} from readers that fall behind; a page, which can set no header, gives its key as subprotocol: new WebSocket(url, ["triptych", "bearer." + base64url(key)]). A client that goes away stops the propagation.',
          answer: PropagateAnswer,
          forms: { [NDJSON]: 'With stream true: a message a line' },
          errors: ERRORS.propagate,
        }),
      },
    );
}

/** None reads a body; some clients say that they send JSON and send nothing. */
function sessionRoutes({ service, keys }: VideoRouteParts) {
  return new Elysia({ name: 'video-session', tags: ['video'] })
    .use(keys)
    .onParse({ as: 'local' }, () => ({}))
    .onTransform({ as: 'local' }, () => service.requireEnabled())
    .get(
      `${SESSION}/status`,
      ({ params }) => Response.json(describeStatus(service.find(params.session_id))),
      {
        params: SessionPath,
        detail: documentation({
          summary: 'Status of a session',
          description: 'Its state, its counts, and how far a propagation has come.',
          answer: StatusAnswer,
          errors: ERRORS.session,
        }),
      },
    )
    .delete(
      `${SESSION}/object/:obj_id`,
      async ({ params: { session_id, obj_id } }) => {
        const object = Number(obj_id);
        await service.removeObject(session_id, object);
        return Response.json({ session_id, obj_id: object, status: 'removed' });
      },
      {
        params: ObjectPath,
        detail: documentation({
          summary: 'Remove an object',
          description: 'The object is not followed any more; its memory is freed.',
          answer: RemoveAnswer,
          errors: ERRORS.remove,
        }),
      },
    )
    .post(
      `${SESSION}/reset`,
      async ({ params: { session_id } }) => {
        const cleared = await service.reset(session_id);
        return Response.json({ session_id, status: 'reset', objects_cleared: cleared });
      },
      {
        params: SessionPath,
        detail: documentation({
          summary: 'Reset a session',
          description: 'Forgets all prompts and objects; the video stays open.',
          answer: ResetAnswer,
          errors: ERRORS.reset,
        }),
      },
    )
    .delete(
      SESSION,
      async ({ params: { session_id } }) => {
        const freed = await service.close(session_id);
        return Response.json({
          session_id,
          status: 'closed',
          memory_freed_mb: mebibytes(freed),
        });
      },
      {
        params: SessionPath,
        detail: documentation({
          summary: 'Close a session',
          description: 'Stops what it does and frees its file and its memory.',
          answer: CloseAnswer,
          errors: ERRORS.session,
        }),
      },
    )
    .get(`${ROOT}/sessions`, () => Response.json(describeSessions(service.list())), {
      detail: documentation({
        summary: 'List the sessions',
        description: 'All open sessions, the oldest first.',
        answer: SessionsAnswer,
        errors: ERRORS.list,
      }),
    });
}
