import { availableParallelism } from 'node:os';
import { HttpError } from '../api/errors.ts';
import { Gate } from '../api/gate.ts';
import type { EnginePool } from '../engine/pool.ts';
import type { Timings } from '../engine/task.ts';
import type { RgbImage } from '../media/image.ts';
import { type ImageSource, loadImage, type SourceLimits } from '../media/source.ts';
import { ModelNotInstalledError } from '../models/errors.ts';
import { POSE_CATALOGUE } from '../models/pose_catalogue.ts';
import type { LearnedPoseModel } from '../models/pose_contracts.ts';
import { preferredDevice } from '../sam/models.ts';
import { Admission } from './admission.ts';
import type { Intrinsics } from './crops.ts';
import { PoseCheckError, PoseRefusedError } from './errors.ts';
import { fileBytes, type SentFile } from './files.ts';
import { readFrame, readMask, type SentDepth, type SentRle } from './frame.ts';
import { meshKey } from './mesh_key.ts';
import type { RgbdFrame } from './method.ts';
import type { PoseModels } from './models.ts';
import { rigidProblem } from './rigid.ts';
import type { Symmetries } from './symmetry.ts';
import {
  type FoundPoses,
  type MeshFiles,
  poseTask,
  type RegisterAsk,
  type TrackAsk,
} from './task.ts';

export type MethodChoice = 'auto' | 'geometric' | 'learned';

/** A mesh and what goes with it, as it was sent. */
export interface SentObject {
  readonly mesh: SentFile;
  readonly texture?: SentFile;
  readonly material?: SentFile;
  readonly meshScale: number;
  /** In metres. */
  readonly symmetries: Symmetries;
  /** What the names of its fields begin with: `objects.0.`, or nothing. */
  readonly prefix: string;
}

/** An object that is read, but for the mesh itself, which the engine reads. */
export interface PoseSubject {
  readonly files: MeshFiles;
  readonly symmetries: Symmetries;
}

export interface PoseServiceOptions {
  readonly pool: EnginePool;
  readonly models: PoseModels;
  readonly limits: SourceLimits;
  readonly maxTriangles: number;
  readonly queueTimeoutMs: number;
}

export interface Posed extends FoundPoses {
  readonly timings: Timings;
}

/** Largest error of an answered rotation: float32 has a thousandth of it. */
const ROTATION_TOLERANCE = 1e-4;

/** Pixels a side, as for depth. */
const MAX_SIDE = 16_384;

/** Frames, masks and meshes → poses: decodes here, computes in the engine. */
export class PoseService {
  /** Decoding runs in threads of its own; more at a time would only hold more pictures. */
  private readonly decoding = new Gate(availableParallelism(), 64);

  private readonly requests: Admission;

  constructor(private readonly options: PoseServiceOptions) {
    this.requests = new Admission(options.queueTimeoutMs);
  }

  /**
   * Does a request's work when its turn comes: its pictures are held only from then on.
   *
   * @throws EngineError, HttpError 503 where the server is too busy, or the caller left
   */
  async admit<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    this.checkCapacity();
    return this.requests.run(work, signal);
  }

  /** Largest file of a request. */
  get maxBytes(): number {
    return this.options.limits.maxBytes;
  }

  /** @throws EngineError where the request would be refused anyway */
  checkCapacity(): void {
    this.options.pool.checkCapacity();
  }

  /**
   * What answers: the learned method where it is installed, unless the geometric one is asked for.
   *
   * @returns null for the geometric method
   * @throws ModelNotInstalledError where the learned method is asked for and has no model
   */
  modelFor(method: MethodChoice): LearnedPoseModel | null {
    if (method === 'geometric') return null;
    const { models, pool } = this.options;
    const model = models.find(preferredDevice(pool));
    if (model || method === 'auto') return model;
    const problem = models.problem(preferredDevice(pool));
    const command = `bun run models pull ${POSE_CATALOGUE[0].id}`;
    throw new ModelNotInstalledError(
      `method "learned": no FoundationPose model is installed. Run \`${command}\`, or ask for method "geometric", which needs no model${problem === null ? '' : `; ${problem}`}`,
      command,
    );
  }

  /** @throws MediaError, HttpError 422 naming the field */
  async image(source: ImageSource, field = 'image', signal?: AbortSignal): Promise<RgbImage> {
    const image = await this.decoding.run(() =>
      loadImage(source, this.options.limits, signal, field),
    );
    if (Math.max(image.width, image.height) <= MAX_SIDE) return image;
    const given = `${field}: ${image.width}x${image.height}`;
    throw new HttpError(422, `${given}; at most ${MAX_SIDE} pixels a side are taken: crop it`);
  }

  /** @throws MediaError naming the depth's field */
  frame(image: RgbImage, depth: SentDepth, intrinsics: Intrinsics): Promise<RgbdFrame> {
    return this.decoding.run(() => readFrame(image, depth, intrinsics, this.options.limits));
  }

  /**
   * A mask at the frame's size.
   *
   * @throws MediaError naming the field; PoseRefusedError for an empty one
   */
  async mask(
    sent: SentFile | SentRle,
    field: string,
    size: { readonly width: number; readonly height: number },
  ): Promise<Uint8Array<ArrayBuffer>> {
    const mask = await this.decoding.run(() => readMask(sent, field, size, this.options.limits));
    if (mask.includes(255) || mask.includes(1)) return mask;
    const message = `${field}: it is empty; expected pixels that are not 0 where the object is`;
    throw new PoseRefusedError('pose', message);
  }

  /** @throws MediaError naming the field */
  async subject(sent: SentObject): Promise<PoseSubject> {
    const { prefix, meshScale: scale, symmetries } = sent;
    const { limits, maxTriangles } = this.options;
    const { maxBytes } = limits;
    const read = (name: 'mesh' | 'texture' | 'material', file: SentFile) =>
      fileBytes(file, { maxBytes, field: `${prefix}${name}` });
    const mesh = await read('mesh', sent.mesh);
    const texture = sent.texture === undefined ? null : await read('texture', sent.texture);
    const material = sent.material === undefined ? null : await read('material', sent.material);
    const key = await meshKey([mesh, texture, material], scale);
    const files = { mesh, texture, material, scale, key, prefix, maxBytes, maxTriangles };
    return { files, symmetries };
  }

  /**
   * Asks an engine. Nothing that is given is changed or lost.
   *
   * @throws PoseRefusedError for what the caller is at fault for, EngineError for what we are,
   *   PoseCheckError for a pose that is none
   */
  async pose(
    { files, symmetries }: PoseSubject,
    frame: RgbdFrame,
    ask: RegisterAsk | TrackAsk,
    model: LearnedPoseModel | null,
    signal?: AbortSignal,
  ): Promise<Posed> {
    const { pool, queueTimeoutMs } = this.options;
    // A task's arrays are transferred.
    const task = structuredClone({ files, symmetries, frame, ask, model });
    const options = { signal, deadlineMs: queueTimeoutMs };
    const { output, timings } = await pool.submit(poseTask, task, options);
    if (output.type === 'refused') throw new PoseRefusedError(output.part, output.message);
    for (const { pose } of output.poses) {
      const problem = rigidProblem(pose, ROTATION_TOLERANCE);
      if (problem) throw new PoseCheckError(`the pose that was found is no rigid one: ${problem}`);
    }
    return { ...output, timings };
  }
}

/** Stages of several tasks add up. */
export function addTimings(all: readonly Timings[]): Timings {
  const sum: Timings = {};
  for (const timings of all) {
    for (const [stage, ms] of Object.entries(timings)) sum[stage] = (sum[stage] ?? 0) + ms;
  }
  return sum;
}
