/** Why a task has no answer, and the HTTP status that says so. */
export type EngineFailure =
  /** The queue is at its bound. */
  | 'queue_full'
  /** It waited longer than its deadline. */
  | 'deadline'
  /** Its caller went away. */
  | 'cancelled'
  /** The engine stopped, hung or lost its device while it ran. */
  | 'engine_lost'
  /** Its handler threw. */
  | 'task_failed';

const STATUS: Record<EngineFailure, number> = {
  queue_full: 503,
  deadline: 503,
  cancelled: 499,
  engine_lost: 503,
  task_failed: 500,
};

/** Thrown by `EnginePool.submit`. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly status: number;
  /** Whether the message is meant for the caller; a handler says so by giving a status. */
  readonly isPublic: boolean;

  constructor(
    readonly failure: EngineFailure,
    message: string,
    options: { readonly status?: number; readonly retryAfterSeconds?: number } = {},
  ) {
    super(message);
    this.status = options.status ?? STATUS[failure];
    this.isPublic = failure !== 'task_failed' || options.status !== undefined;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  readonly retryAfterSeconds?: number;
}

/** For what an engine was doing, or kept, when it stopped. */
export function engineLost(reason: string): EngineError {
  const message = `${reason}. The engine is being restarted: try again`;
  return new EngineError('engine_lost', message, { retryAfterSeconds: 2 });
}
