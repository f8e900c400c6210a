import type { Timings } from '../engine/task.ts';
import type { ImageSource } from '../media/source.ts';
import type { LearnedPoseModel } from '../models/pose_contracts.ts';
import type { Intrinsics } from './crops.ts';
import type { SentDepth } from './frame.ts';
import type { RgbdFrame } from './method.ts';
import { addTimings, type MethodChoice, type PoseService } from './service.ts';

/** What every question about a frame says of it. */
export interface FrameQuery {
  readonly source: ImageSource;
  readonly depth: SentDepth;
  readonly intrinsics: Intrinsics;
  readonly method: MethodChoice;
}

/** A decoded frame, and what answers. */
export interface OpenFrame {
  readonly frame: RgbdFrame;
  /** Null for the geometric method. */
  readonly model: LearnedPoseModel | null;
  readonly method: 'geometric' | 'learned';
  /** Of `performance.now()`, when it was begun. */
  readonly started: number;
  readonly decodeMs: number;
}

/** What is said of all objects of a frame. */
export interface FrameResult<Found> {
  readonly objects: readonly Found[];
  readonly method: 'geometric' | 'learned';
  readonly model: string | null;
  readonly size: { readonly width: number; readonly height: number };
  readonly timings: Timings;
  readonly elapsedMs: number;
}

/**
 * Refuses what no engine could take, says what answers, and decodes.
 *
 * @throws EngineError, ModelNotInstalledError, MediaError, HttpError
 */
export async function openFrame(
  service: PoseService,
  query: FrameQuery,
  signal?: AbortSignal,
): Promise<OpenFrame> {
  const started = performance.now();
  service.checkCapacity();
  const model = service.modelFor(query.method);
  const image = await service.image(query.source, 'image', signal);
  const frame = await service.frame(image, query.depth, query.intrinsics);
  const method = model ? 'learned' : 'geometric';
  return { frame, model, method, started, decodeMs: performance.now() - started };
}

/** @param timings of the stages, in order, and of each object */
export function frameResult<Found>(
  { frame, model, method, started }: OpenFrame,
  objects: readonly Found[],
  timings: readonly Timings[],
): FrameResult<Found> {
  return {
    objects,
    method,
    model: model?.name ?? null,
    size: { width: frame.width, height: frame.height },
    timings: addTimings(timings),
    elapsedMs: performance.now() - started,
  };
}
