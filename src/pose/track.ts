import type { Timings } from '../engine/task.ts';
import type { PoseEstimate } from './method.ts';
import { type FrameQuery, type FrameResult, frameResult, openFrame } from './open_frame.ts';
import type { PoseService, SentObject } from './service.ts';
import { poseWarnings } from './warnings.ts';

/** A frame of a request and where its objects were a frame ago. */
export interface TrackQuery extends FrameQuery {
  readonly objects: readonly {
    readonly name: string | null;
    readonly sent: SentObject;
    /** float32 [4, 4], row-major: the mesh's own coordinates → camera, metres. */
    readonly last: Float32Array<ArrayBuffer>;
  }[];
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
  const opened = await openFrame(service, query, signal);
  const { frame, model, method } = opened;
  const all: Timings[] = [{ decode: opened.decodeMs }];
  const objects: TrackedObject[] = [];
  for (const { name, sent, last } of query.objects) {
    const subject = await service.subject(sent);
    const options = { iterations: query.iterations };
    const ask = { type: 'track', field: `${sent.prefix}pose`, last, options } as const;
    const { poses, diameter, timings } = await service.pose(subject, frame, ask, model, signal);
    all.push(timings);
    objects.push({ name, pose: poses[0], diameter, warnings: poseWarnings({ method, poses }) });
  }
  return frameResult(opened, objects, all);
}
