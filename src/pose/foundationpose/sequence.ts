import type { Timings } from '../../engine/task.ts';
import { fileBytes } from '../files.ts';
import type { PoseEstimate } from '../method.ts';
import { addTimings, type PoseService } from '../service.ts';
import { depthWarning, maskCoverage, poseWarnings } from '../warnings.ts';
import type { SequenceQuery } from './query.ts';

export interface SequenceResult {
  /** One an image. */
  readonly poses: readonly PoseEstimate[];
  readonly method: 'geometric' | 'learned';
  readonly warnings: readonly string[];
  readonly timings: Timings;
  readonly elapsedMs: number;
}

const ITERATIONS = { register: 5, track: 2 };

/**
 * One object through the frames of a request: found by its mask in the first, followed through the
 * others. Frames are decoded one at a time, so that a long request holds no more than a short one.
 *
 * @throws PoseRefusedError, HttpError, MediaError, EngineError, PoseCheckError
 */
export async function posesOfSequence(
  service: PoseService,
  query: SequenceQuery,
  signal?: AbortSignal,
): Promise<SequenceResult> {
  const started = performance.now();
  service.checkCapacity();
  const model = service.modelFor('auto');
  const method = model ? 'learned' : 'geometric';
  const { mesh, meshScale, depthScale } = query;
  const subject = await service.subject({ mesh, meshScale, symmetries: {}, prefix: '' });
  const scales = {
    meshField: 'mesh',
    meshScaleField: 'mesh_scale',
    meshScale,
    depthScaleField: 'depthscale',
    depthScale,
  };
  const poses: PoseEstimate[] = [];
  const warnings = new Set<string>();
  const all: Timings[] = [];
  for (const [i, { rgb, depth }] of query.images.entries()) {
    const begun = performance.now();
    const [field, imageField] = [`images.${i}.depth`, `images.${i}.rgb`];
    const file = await fileBytes(rgb, { maxBytes: service.maxBytes, field: imageField });
    const image = await service.image({ image: new Blob([file]) }, imageField, signal);
    const sent = { file: depth, scale: depthScale, field, imageField };
    const frame = await service.frame(image, sent, query.intrinsics);
    const last = poses.at(-1)?.pose;
    const mask = last ? null : await service.mask(query.mask, 'mask', frame);
    all.push({ decode: performance.now() - begun });
    const ask = mask
      ? ({ ...REGISTER, field: 'mask', mask, scales } as const)
      : ({ ...TRACK, field: `images.${i}`, last: last as Float32Array<ArrayBuffer> } as const);
    const found = await service.pose(subject, frame, ask, model, signal);
    all.push(found.timings);
    poses.push(found.poses[0]);
    for (const one of mask ? depthWarning(maskCoverage(mask, frame)) : []) warnings.add(one);
    for (const one of poseWarnings({ method, poses: found.poses })) {
      warnings.add(one.startsWith('inlier') ? `images.${i}: ${one}` : one);
    }
  }
  return {
    poses,
    method,
    warnings: [...warnings],
    timings: addTimings(all),
    elapsedMs: performance.now() - started,
  };
}

const REGISTER = {
  type: 'register',
  options: { iterations: ITERATIONS.register, topK: 2 },
} as const;
const TRACK = { type: 'track', options: { iterations: ITERATIONS.track } } as const;
