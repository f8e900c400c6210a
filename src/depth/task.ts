import type { TaskKind } from '../engine/task.ts';
import type { Size } from './input_size.ts';

/** Pinhole intrinsics in pixels of the image as sent. */
export interface Intrinsics {
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
}

export interface CloudOptions {
  readonly intrinsics: Intrinsics;
  /** Every n-th pixel of every n-th row. */
  readonly stride: number;
  /** Points outside [near, far] are left out; null keeps all. */
  readonly depthRange: readonly [number, number] | null;
  readonly colors: boolean;
}

/** A graph as the engine needs it: where it is and what its ends are called. */
export interface DepthGraph {
  readonly file: string;
  /** When the file was last changed, so that a replaced one is opened anew. */
  readonly version: number;
  /** Of the file and its external data, for the bound on open models. */
  readonly bytes: number;
  readonly name: string;
  readonly input: string;
  readonly output: string;
  /** Names of the free dimensions of the input; null where the graph fixes one. */
  readonly freeDims: {
    readonly batch: string | null;
    readonly height: string | null;
    readonly width: string | null;
  };
}

/** One image to depth. Its pixels are transferred to the engine. */
export interface DepthTask {
  readonly graph: DepthGraph;
  /** Packed RGB8 [height, width, 3]. */
  readonly pixels: Uint8Array<ArrayBuffer>;
  readonly size: Size;
  /** Size at which the image enters the graph. */
  readonly inputSize: Size;
  /** Factor from the graph's output to the answer. */
  readonly depthScale: number;
  readonly cloud: CloudOptions | null;
}

export interface DepthOutput {
  /** Float32 [height, width]. */
  readonly depth: Float32Array<ArrayBuffer>;
  readonly min: number;
  readonly max: number;
  /** Float32 [N, 3], OpenCV camera frame. */
  readonly points: Float32Array<ArrayBuffer> | null;
  /** Uint8 RGB [N, 3]. */
  readonly colors: Uint8Array<ArrayBuffer> | null;
}

/**
 * Images that enter the same graph at the same size and want the same output share a batch, where
 * the batch axis is free. Large ones go alone: attention's memory grows with the square.
 */
export const depthTask: TaskKind<DepthTask, DepthOutput> = {
  name: 'depth',
  maxBatch: 8,
  batchKey: ({ graph, inputSize: { width, height } }) => {
    if (graph.freeDims.batch === null || width * height > MAX_BATCHED_PIXELS) return null;
    return `${graph.file} ${graph.output} ${width}x${height}`;
  },
};

const MAX_BATCHED_PIXELS = 750_000;
