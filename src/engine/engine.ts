import { EngineError, engineLost } from './errors.ts';
import type { Job } from './job.ts';
import {
  type EngineOptions,
  type EngineStatus,
  type FromEngine,
  type ToEngine,
  transferables,
  type WireError,
  type WireResult,
} from './protocol.ts';

export type EngineState = 'starting' | 'idle' | 'busy' | 'stopped';

export interface EngineEvents {
  /** It can take a batch. */
  onIdle(): void;
  /** It stopped by itself, hung, or lost its device. */
  onLost(reason: string): void;
}

interface Running {
  readonly id: number;
  readonly jobs: readonly Job[];
  readonly startedAt: number;
}

/** The main thread's side of one engine worker, from its start to its first failure. */
export class Engine {
  state: EngineState = 'starting';
  status: EngineStatus | null = null;
  private readonly worker: Worker;
  private running: Running | null = null;
  private watchdog: ReturnType<typeof setTimeout> | undefined;
  private nextId = 1;

  constructor(
    /** Told from all others of its pool, before and after it. */
    readonly id: number,
    entry: string | URL,
    options: EngineOptions,
    private readonly watchdogMs: number,
    private readonly events: EngineEvents,
  ) {
    this.worker = new Worker(entry);
    this.worker.onmessage = ({ data }: MessageEvent<FromEngine>) => this.receive(data);
    this.worker.onerror = ({ message }) => this.lose(`the engine crashed: ${message}`);
    this.worker.addEventListener('close', () => this.lose('the engine exited'));
    this.send({ type: 'start', options });
    this.watch('did not start');
  }

  run(jobs: readonly Job[]): void {
    this.state = 'busy';
    const id = this.nextId++;
    this.running = { id, jobs, startedAt: performance.now() };
    for (const job of jobs) job.started();
    this.watch('did not finish a task', jobs.length);
    const inputs = jobs.map((job) => job.input);
    this.send({ type: 'run', id, task: jobs[0].kind.name, inputs });
  }

  /**
   * Ends the worker; what it was running gets `engine_lost`. A worker that may be inside a native
   * call is not terminated, which would abort the process, but left until that call returns.
   */
  stop(reason: string): void {
    if (this.state === 'stopped') return;
    const isBusy = this.state === 'busy' || this.state === 'starting';
    this.state = 'stopped';
    clearTimeout(this.watchdog);
    if (!isBusy) this.worker.terminate();
    for (const job of this.running?.jobs ?? []) job.fail(engineLost(reason));
    this.running = null;
  }

  private send(message: ToEngine): void {
    this.worker.postMessage(message, transferables(message));
  }

  private receive(message: FromEngine): void {
    // It was given up while it worked, and has come to an end.
    if (this.state === 'stopped') this.worker.terminate();
    else if (message.type === 'changed') this.status = message.status;
    else if (message.type === 'progress') this.watch('did not go on with a task');
    else if (message.type === 'lost') this.lose(`the device was lost (${message.message})`);
    else if (message.type === 'failed') this.failToStart(message.error.message);
    else this.becomeIdle(message);
  }

  /** It says so itself, so it is in no native call and can be ended. */
  private failToStart(reason: string): void {
    this.worker.terminate();
    this.lose(reason);
  }

  private becomeIdle(message: Extract<FromEngine, { type: 'ready' | 'done' }>): void {
    this.status = message.status;
    clearTimeout(this.watchdog);
    if (message.type === 'done') this.finish(message.id, message.results);
    this.state = 'idle';
    this.events.onIdle();
  }

  private finish(id: number, results: readonly WireResult[]): void {
    const running = this.running;
    this.running = null;
    if (running?.id !== id) return;
    running.jobs.forEach((job, index) => {
      const result = results[index];
      if (result.ok) job.succeed(result, running.startedAt - job.submittedAt, this.id);
      else job.fail(toEngineError(result.error));
    });
  }

  private watch(what: string, tasks = 1): void {
    clearTimeout(this.watchdog);
    const limit = this.watchdogMs * tasks;
    const reason = `the engine ${what} within ${limit / 1000} s`;
    this.watchdog = setTimeout(() => this.lose(reason), limit);
  }

  private lose(reason: string): void {
    if (this.state === 'stopped') return;
    this.stop(reason);
    this.events.onLost(reason);
  }
}

function toEngineError({ message, status }: WireError): EngineError {
  return new EngineError('task_failed', message, { status });
}
