import type { Mesh } from '../media/mesh/mesh.ts';
import type { Intrinsics } from './crops.ts';

/** A frame of colour and depth, in one camera's pixels. */
export interface RgbdFrame {
  readonly width: number;
  readonly height: number;
  /** uint8 [height, width, 3], sRGB; the geometric method looks at depth alone. */
  readonly rgb: Uint8Array;
  /** float32 [height, width], metres along the camera's axis; 0 where there is none. */
  readonly depth: Float32Array;
  readonly intrinsics: Intrinsics;
}

/** A motion that leaves the object as it was: float32 [4, 4], row-major, in the mesh's own frame. */
export type SymmetryTransform = Float32Array;

/** What is looked for. */
export interface PoseObject {
  readonly mesh: Mesh;
  /** The identity is always among what is meant, whether listed or not. */
  readonly symmetries: readonly SymmetryTransform[];
}

export interface RegisterOptions {
  /** Refinements of each hypothesis; the geometric method has a schedule of its own. @default 5 */
  readonly iterations?: number;
  /** Distinct poses to give, at most. @default 1 */
  readonly topK?: number;
}

export interface TrackOptions {
  /** Refinements of the last pose. @default 2 */
  readonly iterations?: number;
}

/** One pose and how sure it is. */
export interface PoseEstimate {
  /** float32 [4, 4], row-major: the mesh's own coordinates → camera (x right, y down, z ahead), metres. */
  readonly pose: Float32Array<ArrayBuffer>;
  /** Higher is better, within one answer; not comparable between methods. */
  readonly score: number;
  /** Share of the pixels with depth that agree with the rendered mesh, in [0, 1]. */
  readonly inlierFraction: number;
  /** Mean distance in depth of those that agree, metres. */
  readonly residual: number;
}

/** A way to find poses: both calls release what they put on the device. */
export interface PoseMethod {
  readonly name: 'geometric' | 'learned';
  /**
   * Poses of an object that a mask shows, the best first.
   *
   * @param mask uint8 [height, width]; non-zero for the object
   * @throws {RangeError} for a mask with fewer than 4 valid depths.
   */
  register(
    object: PoseObject,
    frame: RgbdFrame,
    mask: Uint8Array,
    options?: RegisterOptions,
  ): Promise<readonly PoseEstimate[]>;
  /**
   * The pose of an object that was at `last` a frame ago.
   *
   * @param last float32 [4, 4], row-major: the mesh's own coordinates → camera, metres
   * @throws {RangeError} for a pose behind the camera or out of sight, and where no depth is near it.
   */
  track(
    object: PoseObject,
    frame: RgbdFrame,
    last: Float32Array,
    options?: TrackOptions,
  ): Promise<PoseEstimate>;
}
