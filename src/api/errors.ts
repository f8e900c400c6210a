import { Elysia, ValidationError } from 'elysia';
import { EngineError } from '../engine/errors.ts';
import { MediaError } from '../media/errors.ts';
import { ModelError, ModelNotInstalledError } from '../models/errors.ts';
import { describeValidation } from './validation.ts';

/** An answer other than 2xx; `detail` says what was given, what was expected and what to do. */
export class HttpError extends Error {
  override readonly name = 'HttpError';

  constructor(
    readonly status: number,
    readonly detail: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
  }
}

/** Any error as an answer: the caller's faults in full, ours without their inner workings. */
function toHttpError(error: unknown, code: number | string): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof MediaError) return new HttpError(error.status, error.message);
  if (error instanceof EngineError) {
    if (!error.isPublic) return INTERNAL;
    const { retryAfterSeconds } = error;
    return new HttpError(
      error.status,
      error.message,
      retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) },
    );
  }
  if (error instanceof ModelNotInstalledError) return new HttpError(503, error.message);
  if (error instanceof ModelError) return UNUSABLE_MODEL;
  if (error instanceof ValidationError) return new HttpError(422, describeValidation(error));
  if (code === 'NOT_FOUND') return new HttpError(404, 'Not Found');
  // Elysia wraps what a body's reader throws.
  if (code === 'PARSE' && error instanceof Error && error.cause) {
    return toHttpError(error.cause, 'UNKNOWN');
  }
  if (code === 'PARSE') return new HttpError(400, 'the body could not be read as its Content-Type');
  return INTERNAL;
}

/**
 * Elysia sets 422 and then fails to describe what it refuses where a value cannot be written as text,
 * such as `{"toString": 1}`.
 */
function isUndescribed(code: number | string, status: number | string | undefined): boolean {
  return code === 'UNKNOWN' && status === 422;
}

/** What a caller is told of any error where there is no status to tell: in a stream. */
export function publicError(error: unknown): { readonly detail: string; readonly isOurs: boolean } {
  const { status, detail } = toHttpError(error, 'UNKNOWN');
  return { detail, isOurs: status >= 500 };
}

/** What went wrong inside is for the log: it may name files, or other people's data. */
const INTERNAL = new HttpError(500, 'the server failed on this request; its log says why');

const UNUSABLE_MODEL = new HttpError(
  503,
  'the installed model cannot be used; the log of the server says why',
);

const UNDESCRIBED = new HttpError(
  422,
  'a field holds an object where another type is expected; /docs has the types of all fields',
);

/** Every failure of every route becomes `{"detail": …}`. */
export function errorAnswers(onFailure: (error: unknown, path: string) => void) {
  return new Elysia({ name: 'error-answers' }).onError(
    { as: 'global' },
    ({ error, code, path, set }) => {
      const known = toHttpError(error, code);
      const answer = known === INTERNAL && isUndescribed(code, set.status) ? UNDESCRIBED : known;
      // What the request log reads.
      set.status = answer.status;
      if (answer.status >= 500) onFailure(error, path);
      return Response.json(
        { detail: answer.detail },
        { status: answer.status, headers: answer.headers },
      );
    },
  );
}
