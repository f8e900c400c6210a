import { LRUCache } from 'lru-cache';
import type { DeviceInfo } from '../compute/backend.ts';
import { Engine } from './engine.ts';
import { EngineError, engineLost } from './errors.ts';
import { Job, type SubmitOptions } from './job.ts';
import type { EngineOptions, EngineStatus } from './protocol.ts';
import { JobQueue } from './queue.ts';
import type { TaskAnswer, TaskKind } from './task.ts';

export interface PoolOptions extends EngineOptions {
  /** The file that calls `serveEngine`. */
  readonly entry: string | URL;
  readonly workers: number;
  /** Tasks that may wait; one more is refused. */
  readonly queueCapacity: number;
  /** An engine that is silent for longer than this while it starts or runs is restarted. */
  readonly watchdogMs: number;
  /** Told of each loss, for the log. */
  onEngineLost?(index: number, reason: string): void;
}

/** A GPU that is being reset comes back; so restarts go on, ever slower. */
const RESTART_DELAY_MS = 200;
const MAX_RESTART_DELAY_MS = 30_000;

/** Pixels and the like that may wait, besides the bound on their number. */
const QUEUE_BYTES = 1 << 30;

/** Images, say, whose engine is remembered. */
const MAX_AFFINITIES = 1024;

/** One engine's place in the pool, which outlives the engine in it. */
interface Slot {
  engine: Engine;
  failedStarts: number;
  restart?: ReturnType<typeof setTimeout>;
}

/** Engines behind one bounded queue, given work in turn. */
export class EnginePool {
  private readonly queue: JobQueue;
  private readonly slots: Slot[];
  /** The slot whose turn it is; one past the last is the first. */
  private next = 0;
  private nextId = 0;
  /** Which engine last ran an affinity key. */
  private readonly lastRan = new LRUCache<string, number>({ max: MAX_AFFINITIES });
  private closed = false;
  private lastLoss = '';
  private lastDevice: DeviceInfo | null = null;
  private readonly waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];

  constructor(private readonly options: PoolOptions) {
    this.queue = new JobQueue(options.queueCapacity, QUEUE_BYTES);
    this.slots = Array.from({ length: options.workers }, (_, index) => ({
      engine: this.startEngine(index),
      failedStarts: 0,
    }));
  }

  /** Resolves when every engine is ready; rejects when one did not start at its first try. */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.checkReady();
    });
  }

  /**
   * Runs a task on the free engine that last ran its affinity key, else on the next free one in turn;
   * or on the engine it is pinned to.
   *
   * @throws EngineError, whose `failure` and `status` say why there is no answer.
   */
  async submit<I, O>(
    kind: TaskKind<I, O>,
    input: I,
    options: SubmitOptions,
  ): Promise<TaskAnswer<O>> {
    if (options.signal?.aborted) throw new EngineError('cancelled', 'the client went away');
    this.checkCapacity();
    this.checkPin(options.engine);
    const job = new Job(kind as TaskKind<unknown, unknown>, input, options, (left) =>
      this.queue.remove(left),
    );
    this.queue.push(job);
    this.dispatch();
    return (await job.promise) as TaskAnswer<O>;
  }

  get queueLength(): number {
    return this.queue.length;
  }

  /** The last known state of each engine; null while it starts. */
  statuses(): (EngineStatus | null)[] {
    return this.slots.map(({ engine }) => (engine.state === 'stopped' ? null : engine.status));
  }

  /** What the engines run on, also while they restart; null before the first is ready. */
  get device(): DeviceInfo | null {
    return this.lastDevice;
  }

  /** Whether at least one engine can take work now or after what it is doing. */
  get healthy(): boolean {
    return this.slots.some(({ engine }) => engine.state === 'idle' || engine.state === 'busy');
  }

  /** Whether an engine, from `TaskAnswer.engine`, still has what it kept. */
  has(engine: number): boolean {
    return this.slots.some((slot) => slot.engine.id === engine && slot.engine.state !== 'stopped');
  }

  close(): void {
    this.closed = true;
    for (const { engine, restart } of this.slots) {
      clearTimeout(restart);
      engine.stop('the server is stopping');
    }
    this.failQueue('the server is stopping');
  }

  /**
   * Refuses work that would be refused anyway, before anything is spent on it.
   *
   * @throws EngineError `queue_full`, or `engine_lost` when no engine is there to empty the queue
   */
  checkCapacity(): void {
    if (this.closed) throw new EngineError('engine_lost', 'the server is stopping');
    if (this.slots.every(({ failedStarts }) => failedStarts > 1)) {
      throw new EngineError('engine_lost', `no engine could be started: ${this.lastLoss}`, {
        retryAfterSeconds: 10,
      });
    }
    if (this.queue.full) {
      throw new EngineError(
        'queue_full',
        `the server is busy: ${this.queue.length} requests are waiting. Try again later`,
        { retryAfterSeconds: 1 },
      );
    }
  }

  private checkPin(engine: number | undefined): void {
    if (engine === undefined || this.has(engine)) return;
    throw engineLost('the engine that kept what this request goes on with is gone');
  }

  private startEngine(index: number): Engine {
    const { entry, device, threads, settings, watchdogMs } = this.options;
    return new Engine(this.nextId++, entry, { device, threads, settings }, watchdogMs, {
      onIdle: () => this.onIdle(index),
      onLost: (reason) => this.onLost(index, reason),
    });
  }

  private onIdle(index: number): void {
    const { engine } = this.slots[index];
    this.slots[index].failedStarts = 0;
    this.lastDevice = engine.status?.device ?? null;
    this.checkReady();
    this.dispatch();
  }

  private onLost(index: number, reason: string): void {
    const slot = this.slots[index];
    this.lastLoss = reason;
    this.options.onEngineLost?.(index, reason);
    if (slot.engine.status === null) slot.failedStarts++;
    for (const job of this.queue.takePinned(slot.engine.id)) job.fail(engineLost(reason));
    const delay = Math.min(RESTART_DELAY_MS * 2 ** slot.failedStarts, MAX_RESTART_DELAY_MS);
    slot.restart = setTimeout(() => {
      slot.engine = this.startEngine(index);
    }, delay);
    this.checkReady();
  }

  private failQueue(reason: string): void {
    for (const job of this.queue.drain()) job.fail(new EngineError('engine_lost', reason));
  }

  private checkReady(): void {
    const started = this.slots?.every(({ engine }) => engine.status !== null);
    const failed = this.slots?.some(({ failedStarts }) => failedStarts > 0);
    if (!started && !failed) return;
    for (const { resolve, reject } of this.waiting.splice(0)) {
      if (started) resolve();
      else reject(new EngineError('engine_lost', this.lastLoss));
    }
  }

  /** Gives waiting jobs to free engines; one that waits for a busy engine holds up no other. */
  private dispatch(): void {
    for (;;) {
      const idle = this.idleInTurn();
      const job = this.queue.first((waiting) => this.engineFor(waiting, idle) !== undefined);
      const engine = job && this.engineFor(job, idle);
      if (!engine) return;
      const key = job.affinityKey();
      if (key !== null) this.lastRan.set(key, engine.id);
      if (engine === idle[0])
        this.next = this.slots.findIndex((slot) => slot.engine === engine) + 1;
      engine.run(this.queue.takeBatch(job, engine.id));
    }
  }

  /** The free engines, first the one whose turn it is. */
  private idleInTurn(): Engine[] {
    const turned = [...this.slots.slice(this.next), ...this.slots.slice(0, this.next)];
    return turned.map(({ engine }) => engine).filter(({ state }) => state === 'idle');
  }

  private engineFor(job: Job, idle: readonly Engine[]): Engine | undefined {
    if (job.engine !== undefined) return idle.find(({ id }) => id === job.engine);
    const key = job.affinityKey();
    const last = key === null ? undefined : this.lastRan.get(key);
    return idle.find(({ id }) => id === last) ?? idle[0];
  }
}
