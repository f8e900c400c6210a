import type { Backend } from '../../compute/backend.ts';
import { withTensors } from '../../compute/scope.ts';
import type { OpenModels } from '../../models/open_models.ts';
import type { LearnedPoseModel } from '../../models/pose_contracts.ts';
import type {
  PoseEstimate,
  PoseMethod,
  PoseObject,
  RegisterOptions,
  RgbdFrame,
  TrackOptions,
} from '../method.ts';
import { centered, isNearAny, uncentered } from '../symmetric_poses.ts';
import { posesAt, startRotations } from '../viewpoints.ts';
import { agreements, type ObjectMask } from './agreement.ts';
import { refinerBatch, roomFor } from './batches.ts';
import { distinctRotations, maskedObject } from './hypotheses.ts';
import { checkLastPose } from './last_pose.ts';
import { inputDims } from './network_inputs.ts';
import { type OpenGraph, refinePoses } from './refine.ts';
import { loadScene, RenderMeshes, type Scene } from './scene.ts';
import { scorePoses } from './score.ts';

/** FoundationPose's. */
const ITERATIONS = { register: 5, track: 2 } as const;

/** How near two answers count as one: radians, and the diameter's share. */
const SAME_POSE = { angle: (15 * Math.PI) / 180, distance: 0.1 };

/** What tests make smaller. */
interface LearnedOptions {
  /** Rotations to start from, [3, 3] each, row-major: object → camera. @default FoundationPose's 252 */
  readonly rotations?: readonly Float64Array[];
  /** @default the device's */
  readonly maxTensorBytes?: number;
}

/**
 * FoundationPose's method (Wen et al., CVPR 2024): rotations at the mask, each refined by a network
 * that compares its rendering with the observation, and one network that scores the whole set.
 * Tracking refines the last pose and scores nothing: its score is the share of inliers.
 *
 * Pictures, poses and the networks' answers stay on the device; what comes back of a register is the
 * filtered depth, once, the scores, and the final poses.
 */
export function learnedMethod(
  backend: Backend,
  models: OpenModels,
  model: LearnedPoseModel,
  options: LearnedOptions = {},
): PoseMethod {
  return new LearnedMethod(backend, models, model, options);
}

class LearnedMethod implements PoseMethod {
  readonly name = 'learned';
  private readonly meshes = new RenderMeshes();
  private readonly rotations: readonly Float64Array[];
  private readonly room: { readonly set: number; readonly batch: number };

  constructor(
    private readonly backend: Backend,
    private readonly models: OpenModels,
    private readonly model: LearnedPoseModel,
    { rotations = startRotations(), maxTensorBytes = backend.maxTensorBytes }: LearnedOptions,
  ) {
    this.rotations = rotations;
    this.room = { set: roomFor(maxTensorBytes), batch: refinerBatch(backend, maxTensorBytes) };
  }

  register(
    object: PoseObject,
    frame: RgbdFrame,
    mask: Uint8Array,
    { iterations = ITERATIONS.register, topK = 1 }: RegisterOptions = {},
  ): Promise<readonly PoseEstimate[]> {
    const { backend, model, room } = this;
    return withTensors(backend, async (keep) => {
      const scene = loadScene(backend, keep, object, this.meshes.of(object.mesh), frame);
      const { place, depths } = maskedObject(await backend.download(scene.depth), mask, scene);
      const started = posesAt(distinctRotations(this.rotations, scene.symmetries), place);
      const start = keep(backend.upload(started, [started.length / 16, 4, 4]));
      const refiner = await this.open(model.refiner);
      const schedule = { iterations, most: room.batch };
      const refined = keep(await refinePoses(scene, refiner, start, schedule));
      const scored = await scorePoses(scene, await this.open(model.scorer), refined, room);
      const poses = await backend.download(refined);
      const best = distinctBest(scene, poses, scored, topK);
      return answer(scene, poses, best, { pixels: mask, depths });
    });
  }

  track(
    object: PoseObject,
    frame: RgbdFrame,
    last: Float32Array,
    { iterations = ITERATIONS.track }: TrackOptions = {},
  ): Promise<PoseEstimate> {
    const { backend } = this;
    return withTensors(backend, async (keep) => {
      const pose = centered(last, object.mesh.center);
      checkLastPose(pose, object.mesh, frame);
      const scene = loadScene(backend, keep, object, this.meshes.of(object.mesh), frame);
      const start = keep(backend.upload(pose, [1, 4, 4]));
      const refiner = await this.openForOne();
      const refined = keep(await refinePoses(scene, refiner, start, { iterations, most: 1 }));
      const moved = await backend.download(refined);
      if (!isAhead(moved)) {
        throw new RangeError(
          'the object was lost: its refined pose is not ahead of the camera; register it anew',
        );
      }
      const [found] = await answer(scene, moved, [{ index: 0, score: 0 }], null);
      return { ...found, score: found.inlierFraction };
    });
  }

  private async open<T>({ source, tensors }: GraphOf<T>): Promise<OpenGraph<T>> {
    return { model: await this.models.get(source), tensors };
  }

  /** Frame after frame asks for one pose: a captured graph of that size, where there can be one. */
  private async openForOne(): Promise<OpenGraph<LearnedPoseModel['refiner']['tensors']>> {
    const { source, tensors } = this.model.refiner;
    const dims = inputDims(1, tensors.channelsFirst);
    const shapes = { [tensors.rendered]: dims, [tensors.observed]: dims };
    return { model: await this.models.getForShapes(source, shapes), tensors };
  }
}

interface GraphOf<T> {
  readonly source: LearnedPoseModel['refiner']['source'];
  readonly tensors: T;
}

interface Scored {
  readonly index: number;
  readonly score: number;
}

/**
 * The best poses, best first; of those that nearly agree, up to the object's symmetries, one.
 *
 * @throws {Error} where the networks gave nothing that a camera could see.
 */
function distinctBest(
  { symmetries, mesh }: Scene,
  poses: Float32Array,
  scored: readonly Scored[],
  count: number,
): Scored[] {
  const near = { ...SAME_POSE, distance: SAME_POSE.distance * mesh.diameter };
  const poseOf = ({ index }: Scored) => poses.subarray(index * 16, index * 16 + 16);
  const chosen: Scored[] = [];
  for (const one of scored.toSorted((a, b) => b.score - a.score)) {
    if (chosen.length === count) break;
    if (!Number.isFinite(one.score) || !isAhead(poseOf(one))) continue;
    if (chosen.some((other) => isNearAny(poseOf(one), poseOf(other), symmetries, near))) continue;
    chosen.push(one);
  }
  if (chosen.length > 0) return chosen;
  throw new Error(
    `of ${scored.length} refined poses none is ahead of the camera with a finite score; the model's ` +
      'graphs do not do what their names say: verify the model',
  );
}

/** The chosen poses in the mesh's own frame, and how well they agree with the depth. */
async function answer(
  scene: Scene,
  poses: Float32Array,
  chosen: readonly Scored[],
  mask: ObjectMask | null,
): Promise<PoseEstimate[]> {
  const own = new Float32Array(chosen.length * 16);
  chosen.forEach(({ index }, at) => {
    own.set(poses.subarray(index * 16, index * 16 + 16), at * 16);
  });
  const found = await agreements(scene, own, mask);
  return chosen.map(({ score }, at) => {
    const pose = uncentered(own.subarray(at * 16, at * 16 + 16), scene.mesh.center);
    return { pose, score, ...found[at] };
  });
}

/** Finite, and its translation ahead of the camera. */
function isAhead(pose: Float32Array): boolean {
  return pose.every(Number.isFinite) && pose[11] > 0;
}
