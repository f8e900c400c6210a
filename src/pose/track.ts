import type { Timings } from '../engine/task.ts';
import type { ImageSource } from '../media/source.ts';
import type { Intrinsics } from './crops.ts';
import type { FrameResult } from './estimate.ts';
import type { SentDepth } from './frame.ts';
import type { PoseEstimate } from './method.ts';
import { addTimings, type MethodChoice, type PoseService, type SentObject } from './service.ts';
import { poseWarnings } from './warnings.ts';

/** A frame of a request and where its objects were a frame ago. */
export interface TrackQuery {
  readonly source: ImageSource;
  readonly depth: SentDepth;
  readonly intrinsics: Intrinsics;
  readonly objects: readonly {
    readonly name: string | null;
    readonly sent: SentObject;
    /** float32 [4, 4], row-major: the mesh's own coordinates → camera, metres. */
    readonly last: Float32Array<ArrayBuffer>;
  }[];
  readonly method: MethodChoice;
  readonly iterations: number;
}

export interface TrackedObject {
  readonly name: string | null;
  readonly pose: PoseEstimate;
  readonly diameter: number;
  readonly warnings: readonly string[];
}

/**
 * The poses of objects that were near a frame ago.
 *
 * @throws PoseRefusedError, HttpError, MediaError for what the caller is at fault for
 * @throws EngineError, ModelNotInstalledError
 */
export async function track(
  service: PoseService,
  query: TrackQuery,
  signal?: AbortSignal,
): Promise<FrameResult<TrackedObject>> {
  const started = performance.now();
  service.checkCapacity();
  const model = service.modelFor(query.method);
  const method = model ? 'learned' : 'geometric';
  const image = await service.image(query.source, 'image', signal);
  const frame = await service.frame(image, query.depth, query.intrinsics);
  const all: Timings[] = [{ decode: performance.now() - started }];
  const objects: TrackedObject[] = [];
  for (const { name, sent, last } of query.objects) {
    const subject = await service.subject(sent);
    const options = { iterations: query.iterations };
    const ask = { type: 'track', field: `${sent.prefix}pose`, last, options } as const;
    const { poses, diameter, timings } = await service.pose(subject, frame, ask, model, signal);
    all.push(timings);
    objects.push({ name, pose: poses[0], diameter, warnings: poseWarnings({ method, poses }) });
  }
  return {
    objects,
    method,
    model: model?.name ?? null,
    size: { width: frame.width, height: frame.height },
    timings: addTimings(all),
    elapsedMs: performance.now() - started,
  };
}
