import { HttpError } from '../../api/errors.ts';
import { EngineError } from '../../engine/errors.ts';
import { MediaError } from '../../media/errors.ts';
import { ModelError } from '../../models/errors.ts';
import { PoseCheckError, PoseRefusedError } from '../errors.ts';

/** The documented words. */
const EMPTY = 'Invalid or empty JSON!';
const MALFORMED = 'Invalid JSON format!';
const FAILED = 'Pose estimation failed';
const UNSOUND = 'Pose estimation error';

/** An answer other than 200, as the document has it. */
export interface Failure {
  readonly status: number;
  readonly body: { readonly error: string; readonly details?: string };
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether the log should hear of it. */
  readonly isOurs: boolean;
}

/** Nothing was sent that could be read. */
export const EMPTY_BODY: Failure = { status: 401, body: { error: EMPTY }, isOurs: false };

/** What was sent is no JSON, or a field of it is missing or cannot be used. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';
}

/** Any error in the document's codes; those it has none for keep their own. */
export function failureOf(error: unknown): Failure {
  if (error instanceof MalformedError) return failure(402, MALFORMED, error.message);
  if (error instanceof MediaError) return failure(402, MALFORMED, error.message);
  if (error instanceof PoseRefusedError) {
    const [status, word] = error.part === 'mesh' ? [402, MALFORMED] : [403, FAILED];
    return failure(status, word, error.detail);
  }
  if (error instanceof PoseCheckError) return failure(500, UNSOUND, error.detail, true);
  if (error instanceof HttpError) return httpFailure(error);
  if (error instanceof EngineError && error.isPublic) return engineFailure(error);
  if (error instanceof ModelError) {
    return failure(503, FAILED, 'the installed model cannot be used; the log says why', true);
  }
  return failure(403, FAILED, 'the server failed on this request; its log says why', true);
}

/** Too large or too busy, which the document does not speak of; else a field. */
function httpFailure({ status, detail, headers }: HttpError): Failure {
  if (status === 422 || status === 400) return failure(402, MALFORMED, detail);
  return { ...failure(status, status === 413 ? MALFORMED : FAILED, detail), headers };
}

function engineFailure({ status, message, retryAfterSeconds }: EngineError): Failure {
  const isOurs = status >= 500;
  const headers: Record<string, string> = {};
  if (retryAfterSeconds !== undefined) headers['Retry-After'] = String(retryAfterSeconds);
  return { ...failure(status, FAILED, message, isOurs), headers };
}

function failure(status: number, error: string, details: string, isOurs = false): Failure {
  return { status, body: { error, details }, isOurs };
}
