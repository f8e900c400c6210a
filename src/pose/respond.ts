import { serverTiming } from '../api/server_timing.ts';
import type { EstimateAnswer, PoseFigures, TrackAnswer } from './answers.ts';
import type { EstimatedObject } from './estimate.ts';
import type { PoseEstimate } from './method.ts';
import type { FrameResult } from './open_frame.ts';
import { nestedRows } from './rigid.ts';
import type { TrackedObject } from './track.ts';

/** The poses of a frame as the documented JSON. */
export function respondEstimate(result: FrameResult<EstimatedObject>): Response {
  const objects = result.objects.map(({ name, poses, diameter, ...found }) => ({
    name,
    ...figures(poses[0]),
    method: result.method,
    hypotheses: poses.map(figures),
    mask_source: found.maskSource,
    mask_score: found.maskScore,
    mask_model: found.maskModel,
    mask_pixels: found.maskPixels,
    mesh_diameter: diameter,
    warnings: [...found.warnings],
  }));
  return json({ objects, ...facts(result) } satisfies EstimateAnswer, result);
}

/** The poses of a frame as the documented JSON. */
export function respondTrack(result: FrameResult<TrackedObject>): Response {
  const objects = result.objects.map(({ name, pose, diameter, warnings }) => ({
    name,
    ...figures(pose),
    method: result.method,
    mesh_diameter: diameter,
    warnings: [...warnings],
  }));
  return json({ objects, ...facts(result) } satisfies TrackAnswer, result);
}

function figures({ pose, score, inlierFraction, residual }: PoseEstimate): PoseFigures {
  return { pose: nestedRows(pose), score, inlier_fraction: inlierFraction, residual };
}

function facts({ model, size, elapsedMs }: FrameResult<unknown>) {
  return {
    model,
    unit: 'metre' as const,
    image_size: size,
    elapsed_ms: Math.round(elapsedMs * 100) / 100,
  };
}

function json(answer: object, { timings }: FrameResult<unknown>): Response {
  return Response.json(answer, { headers: { 'Server-Timing': serverTiming(timings) } });
}
