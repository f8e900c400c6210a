import { HttpError } from '../api/errors.ts';
import type { Timings } from '../engine/task.ts';
import type { PromptFields } from '../sam/prompt_schema.ts';
import { PoseRefusedError } from './errors.ts';
import type { SentFile } from './files.ts';
import type { SentDepth, SentRle } from './frame.ts';
import type { MaskFinder } from './mask_finder.ts';
import type { PoseEstimate, RgbdFrame } from './method.ts';
import { type FrameQuery, type FrameResult, frameResult, openFrame } from './open_frame.ts';
import type { PoseService, PoseSubject, SentObject } from './service.ts';
import { depthWarning, maskCoverage, poseWarnings } from './warnings.ts';

/** An object to find. */
interface EstimateObject {
  readonly name: string | null;
  readonly sent: SentObject;
  /** Pixels, or what segmentation finds them by; one of them. */
  readonly mask: SentFile | SentRle | null;
  readonly prompt: PromptFields | null;
  readonly checksUnits: boolean;
}

/** A frame of a request and its objects, defaults filled in. */
export interface EstimateQuery extends FrameQuery {
  readonly objects: readonly EstimateObject[];
  readonly iterations: number;
  readonly topK: number;
  /** Of prompts' masks; null is the server's own. */
  readonly threshold: number | null;
}

/** Poses of one object. */
export interface EstimatedObject {
  readonly name: string | null;
  /** At most topK, the best first. */
  readonly poses: readonly PoseEstimate[];
  readonly diameter: number;
  readonly maskSource: 'mask' | 'prompt';
  readonly maskScore: number | null;
  /** What found the mask by a prompt. */
  readonly maskModel: string | null;
  readonly maskPixels: number;
  readonly warnings: readonly string[];
}

/** An object whose pixels are known. */
interface Masked {
  readonly object: EstimateObject;
  readonly subject: PoseSubject;
  readonly mask: Uint8Array<ArrayBuffer>;
  readonly score: number | null;
  /** What found the mask by a prompt. */
  readonly maskModel: string | null;
  readonly warnings: readonly string[];
}

/**
 * Poses of several objects in one frame: all masks first, so that what cannot be answered is refused
 * before it costs a registration.
 *
 * @throws PoseRefusedError, HttpError, MediaError for what the caller is at fault for
 * @throws EngineError, ModelNotInstalledError
 */
export async function estimate(
  service: PoseService,
  finder: MaskFinder,
  query: EstimateQuery,
  signal?: AbortSignal,
): Promise<FrameResult<EstimatedObject>> {
  const opened = await openFrame(service, query, signal);
  const { frame, model, method } = opened;
  const decoded = performance.now();
  const masked: Masked[] = [];
  for (const object of query.objects) {
    masked.push(await maskObject(service, finder, query, object, frame, signal));
  }
  const found = performance.now();
  const objects: EstimatedObject[] = [];
  const all: Timings[] = [{ decode: opened.decodeMs, mask: found - decoded }];
  for (const { object, subject, mask, score, maskModel, warnings } of masked) {
    const { sent, prompt, checksUnits } = object;
    const field = `${sent.prefix}${prompt ? 'prompt' : 'mask'}`;
    const scales = checksUnits ? scalesOf(sent, query.depth) : null;
    // One more than asked for tells whether the best one is alone.
    const options = { iterations: query.iterations, topK: Math.max(2, query.topK) };
    const ask = { type: 'register', field, mask, options, scales } as const;
    const { poses, diameter, timings } = await service.pose(subject, frame, ask, model, signal);
    all.push(timings);
    const coverage = maskCoverage(mask, frame);
    objects.push({
      name: object.name,
      poses: poses.slice(0, query.topK),
      diameter,
      maskSource: prompt ? 'prompt' : 'mask',
      maskScore: score,
      maskModel,
      maskPixels: coverage.inside,
      warnings: [...warnings, ...depthWarning(coverage), ...poseWarnings({ method, poses })],
    });
  }
  return frameResult(opened, objects, all);
}

function scalesOf({ meshScale, prefix }: SentObject, { scale, field }: SentDepth) {
  return {
    meshField: `${prefix}mesh`,
    meshScaleField: `${prefix}mesh_scale`,
    meshScale,
    depthScaleField: `${field}_scale`,
    depthScale: scale,
  };
}

async function maskObject(
  service: PoseService,
  finder: MaskFinder,
  { threshold }: EstimateQuery,
  object: EstimateObject,
  frame: RgbdFrame,
  signal?: AbortSignal,
): Promise<Masked> {
  const { mask, prompt, sent } = object;
  const subject = await service.subject(sent);
  if (mask !== null && prompt === null) {
    const pixels = await service.mask(mask, `${sent.prefix}mask`, frame);
    return { object, subject, mask: pixels, score: null, maskModel: null, warnings: [] };
  }
  if (prompt === null || mask !== null) {
    const given = prompt === null ? 'neither' : 'both';
    const expected = `expected ${sent.prefix}mask or ${sent.prefix}prompt`;
    throw new HttpError(422, `${sent.prefix}mask: ${expected}, given ${given}`);
  }
  const field = `${sent.prefix}prompt`;
  const image = { data: frame.rgb as Uint8Array<ArrayBuffer>, ...sizeOf(frame) };
  const found = await finder.find(image, prompt, { threshold, field, signal });
  if (!found) {
    throw new PoseRefusedError(
      'pose',
      `${field}: nothing was found by it; try other words, a click or a box, a lower confidence_threshold, or send a mask`,
    );
  }
  const { count, score, model: maskModel } = found;
  const several = `${field} finds ${count} objects, of which the one with the best score is taken; a click or a box means one`;
  const warnings = count > 1 ? [several] : [];
  return { object, subject, mask: found.mask, score, maskModel, warnings };
}

function sizeOf({ width, height }: RgbdFrame) {
  return { width, height };
}
