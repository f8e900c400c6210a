import { Elysia } from 'elysia';
import type { Authentication } from '../../api/auth.ts';
import type { BodyReader } from '../../api/body.ts';
import { documentation } from '../../api/schema.ts';
import { serverTiming } from '../../api/server_timing.ts';
import { nestedRows } from '../rigid.ts';
import type { PoseService } from '../service.ts';
import { EMPTY_BODY, type Failure, failureOf, MalformedError } from './errors.ts';
import { isEmpty, sequenceQuery } from './query.ts';
import { SavedRequests } from './saved_requests.ts';
import { FoundationPoseAnswer, FoundationPoseBody, FoundationPoseError } from './schema.ts';
import { posesOfSequence } from './sequence.ts';

interface FoundationPoseParts {
  readonly service: PoseService;
  /** What the document calls `DIR`; null writes nothing. */
  readonly folder: string | null;
  readonly keys: Authentication;
  readonly bodies: BodyReader;
  readonly onFailure: (error: unknown) => void;
}

const ERRORS = {
  401: 'The body is empty, or not JSON: {"error": "Invalid or empty JSON!"}. Also where a key is required, or the key is wrong: {"detail": …}',
  402: 'The JSON could not be parsed, or a field of it is missing or malformed, which details names: {"error": "Invalid JSON format!", "details": …}',
  403: 'No pose was found, or mesh and depth disagree in size, as details says: {"error": "Pose estimation failed", "details": …}',
  413: 'The body is too large',
  429: 'More requests than RATE_LIMIT_REQUESTS_PER_MINUTE; Retry-After says when to come back',
  500: 'What was found is no rotation: {"error": "Pose estimation error", "details": …}',
  503: 'The server is busy',
};

/** `POST /foundationpose`, with the codes and bodies of its document. */
export function foundationPoseRoute(parts: FoundationPoseParts) {
  const { service, keys, bodies, onFailure } = parts;
  const saved = parts.folder === null ? null : new SavedRequests(parts.folder);
  const failed = (error: unknown) => {
    const failure = failureOf(error);
    if (failure.isOurs) onFailure(error);
    return answer(failure);
  };
  return (
    new Elysia({ name: 'foundationpose', tags: ['pose'] })
      .use(keys)
      // What is wrong with a body has codes of its own.
      .onParse({ as: 'local' }, ({ request }) => readJson(request, bodies).catch(failed))
      .post(
        '/foundationpose',
        async ({ body, request, server }) => {
          // Nothing is sent until the last image is done, which on a CPU may be minutes.
          server?.timeout(request, 0);
          if (body instanceof Response) return body;
          if (isEmpty(body)) return answer(EMPTY_BODY);
          return estimated(service, saved, body, request.signal).catch(failed);
        },
        {
          detail: documentation({
            summary: 'Pose of an object, as the FoundationPose REST API has it',
            description:
              'The 4×4 transform object → camera from colour, depth, a mask and a mesh. Of several images the first is registered and the others are tracked. Its errors have codes of their own; /api/v1/pose/estimate has the usual ones.',
            body: FoundationPoseBody,
            answer: FoundationPoseAnswer,
            errors: ERRORS,
            errorBody: FoundationPoseError,
          }),
        },
      )
  );
}

/** @returns null for what is not JSON by its type, or blank */
async function readJson(request: Request, bodies: BodyReader): Promise<unknown> {
  const type = (request.headers.get('content-type') ?? '').split(';')[0].trim().toLowerCase();
  if (type !== '' && type !== 'application/json' && !type.endsWith('+json')) return null;
  const bytes = await bodies.bytes(request);
  if (bytes.every((byte) => byte <= 0x20)) return null;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new MalformedError(`the body is not JSON: ${(error as Error).message}`);
  }
}

async function estimated(
  service: PoseService,
  saved: SavedRequests | null,
  json: unknown,
  signal: AbortSignal,
): Promise<Response> {
  const query = sequenceQuery(json);
  // What is refused anyway leaves nothing behind.
  service.checkCapacity();
  await saved?.save(query, service.maxBytes);
  const result = await service.admit(() => posesOfSequence(service, query, signal), signal);
  const { poses, method, warnings, timings, elapsedMs } = result;
  const matrices = poses.map(({ pose }) => nestedRows(pose));
  for (const [i, rows] of matrices.entries()) await saved?.savePose(query.images[i].name, rows);
  const last = poses.length - 1;
  const body: FoundationPoseAnswer = {
    status: 'Pose estimation complete',
    transformation_matrix: matrices[last],
    transformation_matrices: matrices,
    score: poses[last].score,
    inlier_fraction: poses[last].inlierFraction,
    method,
    elapsed_ms: Math.round(elapsedMs * 100) / 100,
    warnings: [...warnings],
  };
  return Response.json(body, { headers: { 'Server-Timing': serverTiming(timings) } });
}

function answer({ status, body, headers }: Failure): Response {
  return Response.json(body, { status, headers });
}
