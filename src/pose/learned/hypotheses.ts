import { isNearAny } from '../symmetric_poses.ts';
import { maskedDepths } from '../valid_depth.ts';
import { posesAt } from '../viewpoints.ts';

/** FoundationPose's: of rotations nearer than this, up to symmetry, the first is tried. */
const DISTINCT_ANGLE = Math.PI / 6;

/**
 * The rotations that an object can be told apart by: each of `rotations` that is not within 30° of
 * one before it, turned by any symmetry.
 *
 * @param rotations [3, 3] each, row-major: object → camera
 * @param symmetries float32 [S, 4, 4], row-major, of the object about its centre
 */
export function distinctRotations(
  rotations: readonly Float64Array[],
  symmetries: Float32Array,
): readonly Float64Array[] {
  const near = { angle: DISTINCT_ANGLE, distance: Number.POSITIVE_INFINITY };
  const kept: { rotation: Float64Array; pose: Float32Array }[] = [];
  for (const rotation of rotations) {
    const pose = posesAt([rotation], [0, 0, 0]);
    const isKnown = kept.some((other) => isNearAny(other.pose, pose, symmetries, near));
    if (!isKnown) kept.push({ rotation, pose });
  }
  return kept.map(({ rotation }) => rotation);
}

/** What a mask shows of an object. */
export interface MaskedObject {
  /** Where the middle of the mask's box is, as deep as the median of its depths; camera frame, metres. */
  readonly place: readonly [x: number, y: number, z: number];
  /** Pixels of the mask that have depth. */
  readonly depths: number;
}

/**
 * @param depth float32 [height, width], filtered: 0 where there is none
 * @param mask uint8 [height, width]
 * @throws {RangeError} for a mask of another size, or with fewer than 4 valid depths.
 */
export function maskedObject(
  depth: Float32Array,
  mask: Uint8Array,
  { width, height, intrinsics: { fx, fy, cx, cy } }: MaskFrame,
): MaskedObject {
  if (mask.length !== width * height) {
    throw new RangeError(
      `the mask has ${mask.length} pixels; expected ${width * height}, as the frame of ${width}x${height}`,
    );
  }
  const { box, depths } = maskedDepths(depth, mask, width);
  const z = median(depths);
  const u = (box.left + box.right) / 2;
  const v = (box.top + box.bottom) / 2;
  return { place: [((u - cx) / fx) * z, ((v - cy) / fy) * z, z], depths: depths.length };
}

interface MaskFrame {
  readonly width: number;
  readonly height: number;
  readonly intrinsics: Readonly<Record<'fx' | 'fy' | 'cx' | 'cy', number>>;
}

/** Of an even number of values, the mean of the two in the middle. */
function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
