import type { TaskKind } from '../engine/task.ts';
import type { LearnedPoseModel } from '../models/pose_contracts.ts';
import type { PoseEstimate, RegisterOptions, RgbdFrame, TrackOptions } from './method.ts';
import type { Symmetries } from './symmetry.ts';
import type { SentScales } from './unit_check.ts';

/** A mesh as it was sent: it is read in the engine, which keeps it for the next request. */
export interface MeshFiles {
  readonly mesh: Uint8Array<ArrayBuffer>;
  readonly texture: Uint8Array<ArrayBuffer> | null;
  readonly material: Uint8Array<ArrayBuffer> | null;
  /** Metres per unit of the file. */
  readonly scale: number;
  /** Differs when any of the files or the scale does. */
  readonly key: string;
  /** What its fields' names begin with in the request: `objects.0.`, or nothing. */
  readonly prefix: string;
  readonly maxBytes: number;
  readonly maxTriangles: number;
}

export interface RegisterAsk {
  readonly type: 'register';
  /** What the mask is from, as the request calls it. */
  readonly field: string;
  /** uint8 [height, width]; non-zero for the object. */
  readonly mask: Uint8Array<ArrayBuffer>;
  readonly options: RegisterOptions;
  /** What is held against the depth before; null leaves the check out. */
  readonly scales: SentScales | null;
}

export interface TrackAsk {
  readonly type: 'track';
  /** What the last pose is from, as the request calls it. */
  readonly field: string;
  /** float32 [4, 4], row-major: the mesh's own coordinates → camera, metres. */
  readonly last: Float32Array<ArrayBuffer>;
  readonly options: TrackOptions;
}

/** One object in one frame. All its arrays are transferred to the engine. */
export interface PoseTask {
  readonly files: MeshFiles;
  /** As they were sent, in metres: what is wrong with them depends on the mesh. */
  readonly symmetries: Symmetries;
  readonly frame: RgbdFrame;
  readonly ask: RegisterAsk | TrackAsk;
  /** Null: the geometric method. */
  readonly model: LearnedPoseModel | null;
}

/** Why there is no pose, in words for the caller: their mesh, or what it was sent with. */
export interface PoseRefusal {
  readonly type: 'refused';
  readonly part: 'mesh' | 'pose';
  readonly message: string;
}

export interface FoundPoses {
  readonly type: 'found';
  /** The best first; of a tracked object one. */
  readonly poses: readonly PoseEstimate[];
  /** Metres. */
  readonly diameter: number;
}

export type PoseOutput = FoundPoses | PoseRefusal;

/** One by one; an engine that has read a mesh is asked for it again. */
export const poseTask: TaskKind<PoseTask, PoseOutput> = {
  name: 'pose',
  maxBatch: 1,
  batchKey: () => null,
  affinity: ({ files }) => files.key,
};
