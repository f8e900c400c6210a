import { EngineError } from './errors.ts';
import { transferables } from './protocol.ts';
import type { TaskAnswer, TaskKind, TaskResult } from './task.ts';

export interface SubmitOptions {
  /** Aborted when the caller goes away. */
  readonly signal?: AbortSignal;
  /** Milliseconds that the task may wait in the queue. */
  readonly deadlineMs: number;
  /**
   * The engine that has the task's state, from `TaskAnswer.engine`: it runs there and nowhere else,
   * and fails with `engine_lost` once that engine is gone.
   */
  readonly engine?: number;
}

/** One task from submission to answer. It settles once; what comes later is ignored. */
export class Job {
  readonly promise: Promise<TaskAnswer<unknown>>;
  readonly submittedAt = performance.now();
  /** What it holds while it waits. */
  readonly bytes: number;
  private settled = false;
  private resolve!: (answer: TaskAnswer<unknown>) => void;
  private reject!: (error: EngineError) => void;
  private readonly timer: ReturnType<typeof setTimeout>;
  private readonly onAbort = () => this.cancel();

  constructor(
    readonly kind: TaskKind<unknown, unknown>,
    readonly input: unknown,
    private readonly options: SubmitOptions,
    /** Called when a job settles without having run. */
    private readonly leaveQueue: (job: Job) => void,
  ) {
    this.bytes = transferables(input).reduce((sum, buffer) => sum + buffer.byteLength, 0);
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.timer = setTimeout(() => this.expire(), options.deadlineMs);
    options.signal?.addEventListener('abort', this.onAbort, { once: true });
  }

  /** Tasks of one key run together; null for one that runs alone. */
  batchKey(): string | null {
    const key = this.kind.batchKey(this.input);
    return key === null ? null : `${this.kind.name}:${key}`;
  }

  /** Of the engine that it waits for. */
  get engine(): number | undefined {
    return this.options.engine;
  }

  /** What an engine may have kept that this task gains from; null where nothing is. */
  affinityKey(): string | null {
    const key = this.kind.affinity?.(this.input);
    return key === undefined ? null : `${this.kind.name}:${key}`;
  }

  /** The engine took it: from here on the watchdog, not the deadline, bounds it. */
  started(): void {
    clearTimeout(this.timer);
  }

  succeed({ output, timings }: TaskResult<unknown>, queueMs: number, engine: number): void {
    if (!this.settle()) return;
    this.resolve({ output, timings: { queue: queueMs, ...timings }, engine });
  }

  fail(error: EngineError): void {
    if (this.settle()) this.reject(error);
  }

  private cancel(): void {
    this.leaveQueue(this);
    this.fail(new EngineError('cancelled', 'the client closed the connection'));
  }

  private expire(): void {
    this.leaveQueue(this);
    const waited = (this.options.deadlineMs / 1000).toFixed(1);
    this.fail(
      new EngineError(
        'deadline',
        `the server is busy: the request waited ${waited} s in the queue. Try again later`,
        { retryAfterSeconds: 1 },
      ),
    );
  }

  private settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    clearTimeout(this.timer);
    this.options.signal?.removeEventListener('abort', this.onAbort);
    return true;
  }
}
