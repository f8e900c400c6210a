import type { DeviceChoice, DeviceInfo, MemoryUse } from '../compute/backend.ts';
import type { EngineSettings } from '../engine_settings.ts';
import type { Figures, Timings } from './task.ts';

/** What an engine needs to start. */
export interface EngineOptions {
  readonly device: DeviceChoice;
  /** Threads of onnxruntime on the CPU backend; undefined is all processors. */
  readonly threads?: number;
  readonly settings: EngineSettings;
}

/** An engine's state, sent after each batch, so that `/health` never waits for the engine. */
export interface EngineStatus {
  readonly device: DeviceInfo;
  readonly memory: MemoryUse;
  readonly modelsLoaded: readonly string[];
  /** What its modules count, all together. */
  readonly figures: Figures;
}

/** An error as it crosses the threads. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  /** HTTP status, when the handler knew one. */
  readonly status?: number;
}

export type WireResult =
  | { readonly ok: true; readonly output: unknown; readonly timings: Timings }
  | { readonly ok: false; readonly error: WireError };

export type ToEngine =
  | { readonly type: 'start'; readonly options: EngineOptions }
  | {
      readonly type: 'run';
      readonly id: number;
      readonly task: string;
      readonly inputs: unknown[];
    };

export type FromEngine =
  | { readonly type: 'ready'; readonly status: EngineStatus }
  /** Something changed between two tasks. */
  | { readonly type: 'changed'; readonly status: EngineStatus }
  /** A task has come further: the watchdog starts anew. */
  | { readonly type: 'progress' }
  | { readonly type: 'failed'; readonly error: WireError }
  | { readonly type: 'lost'; readonly message: string }
  | {
      readonly type: 'done';
      readonly id: number;
      readonly results: WireResult[];
      readonly status: EngineStatus;
    };

/** The array buffers in a message, found through plain objects and arrays, each once. */
export function transferables(value: unknown, found = new Set<ArrayBuffer>()): ArrayBuffer[] {
  if (value instanceof ArrayBuffer) found.add(value);
  else if (ArrayBuffer.isView(value)) {
    if (value.buffer instanceof ArrayBuffer) found.add(value.buffer);
  } else if (value !== null && typeof value === 'object') {
    for (const item of Object.values(value)) transferables(item, found);
  }
  return [...found];
}

export function toWireError(error: unknown): WireError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const status = 'status' in error && typeof error.status === 'number' ? error.status : undefined;
  return { name: error.name, message: error.message, status };
}
