/**
 * The server answered, but not with what was asked for.
 *
 * @example
 * try {
 *   await predictMetricDepth({ image, max_depth: 0 });
 * } catch (error) {
 *   if (error instanceof ApiError) console.error(error.status, error.detail);
 * }
 */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    /** HTTP status: 401 for the key, 4xx for the request, 503 for a busy server. */
    readonly status: number,
    /** What was given, what was expected and what to do, in the server's words. */
    readonly detail: string,
    /** Seconds after which a busy server asks to be tried again. */
    readonly retryAfterSeconds?: number,
  ) {
    super(`${status}: ${detail}`);
  }
}

/** No answer came: the server is not there, the connection broke, or the time ran out. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';

  constructor(
    readonly reason: 'unreachable' | 'timeout',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A stream of frames was refused, or failed on its way; the session stays open. */
export class PropagationError extends Error {
  override readonly name = 'PropagationError';
}

/** A servers file that cannot be read, or a name that is not in it. */
export class ServersFileError extends Error {
  override readonly name = 'ServersFileError';
}
