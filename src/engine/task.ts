import type { Backend } from '../compute/backend.ts';
import type { EngineSettings } from '../engine_settings.ts';

/**
 * A kind of work, known by both threads. `I` and `O` travel between threads by structured clone;
 * the array buffers in them are transferred, not copied.
 */
export interface TaskKind<I, O> {
  readonly name: string;
  /** Tasks with equal keys may run as one batch; null never batches. */
  batchKey(input: I): string | null;
  /** Tasks in one batch, at most. */
  readonly maxBatch: number;
  /** Tasks with equal keys gain from the same engine, which may have kept something of the last. */
  affinity?(input: I): string;
  /** Never set: carries the output type. */
  readonly output?: O;
}

/** Milliseconds by stage, in order; they become the response's `Server-Timing`. */
export type Timings = Record<string, number>;

/** What a handler gives back for one task of a batch. */
export interface TaskResult<O> {
  readonly output: O;
  readonly timings: Timings;
}

/** What a task gives back, and where it ran. */
export interface TaskAnswer<O> extends TaskResult<O> {
  /** Of the engine: what `SubmitOptions.engine` takes. */
  readonly engine: number;
}

/** What the engine thread lends to the modules. */
export interface EngineContext {
  readonly backend: Backend;
  readonly settings: EngineSettings;
  /** Tells the main thread that figures have changed between two tasks. */
  readonly changed: () => void;
  /** Tells the watchdog that a task of several parts has finished one. */
  readonly progress: () => void;
}

/** What a module counts, by names that are its own: they become metrics. */
export type Figures = Readonly<Record<string, number>>;

/** One task's end: its result, or what it threw. */
export type TaskOutcome<O> = TaskResult<O> | { readonly error: unknown };

/**
 * Runs a batch in the engine thread. Outcomes in the order of the inputs, so that a bad task fails
 * alone; a throw fails them all.
 */
export type TaskHandler<I, O> = (inputs: readonly I[]) => Promise<TaskOutcome<O>[]>;

/** A part of the engine that a feature contributes. */
export interface EngineModule {
  readonly kind: TaskKind<unknown, unknown>;
  readonly run: TaskHandler<unknown, unknown>;
  /** Names of the models that are open, for `/health`. */
  loadedModels(): readonly string[];
  figures?(): Figures;
}

/** Pairs a kind with its handler, with their types checked against each other. */
export function engineModule<I, O>(
  kind: TaskKind<I, O>,
  run: TaskHandler<I, O>,
  loadedModels: () => readonly string[],
  figures?: () => Figures,
): EngineModule {
  return {
    kind: kind as TaskKind<unknown, unknown>,
    run: run as EngineModule['run'],
    loadedModels,
    figures,
  };
}
