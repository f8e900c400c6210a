/** A pinhole camera in pixels whose centres are integers. */
export interface Intrinsics {
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
}

/** Which part of the image is cropped, and to how many pixels. */
interface CropOptions {
  readonly intrinsics: Intrinsics;
  /** Metres. */
  readonly diameter: number;
  /** Side of the crop's cube by the diameter; FoundationPose's refiner 1.2, its scorer 1.1. */
  readonly ratio: number;
}

/**
 * The square around each pose that holds a sphere of diameter·ratio at its translation, by the rule
 * of FoundationPose: t and t ± r along x and y are projected, r = diameter·ratio/2; the half-size is
 * the largest distance along u or v from the projected t; edges are rounded to whole pixels. The
 * kernel `pose-crops` does the same on the device.
 *
 * @param poses float32 [N, 4, 4], row-major: object → camera, metres
 * @returns float32 [N, 4]: left, top, right, bottom in pixels; at least a pixel wide and high
 * @throws {RangeError} for a pose that is not in front of the camera
 */
export function cropSquares(
  poses: Float32Array,
  { intrinsics, diameter, ratio }: CropOptions,
): Float32Array<ArrayBuffer> {
  const { fx, fy, cx, cy } = intrinsics;
  const squares = new Float32Array(poses.length / 4);
  for (let at = 0; at < poses.length; at += 16) {
    const [x, y, z] = [poses[at + 3], poses[at + 7], poses[at + 11]];
    if (!(z > 0)) {
      throw new RangeError(
        `pose ${at / 16} lies ${z} m before the camera; expected its translation's z above 0`,
      );
    }
    const u = (fx * x) / z + cx;
    const v = (fy * y) / z + cy;
    const half = (Math.max(Math.abs(fx), Math.abs(fy)) * diameter * ratio) / 2 / z;
    const left = Math.round(u - half);
    const top = Math.round(v - half);
    const right = Math.max(Math.round(u + half), left + 1);
    squares.set([left, top, right, Math.max(Math.round(v + half), top + 1)], at / 4);
  }
  return squares;
}

/**
 * The transforms that sample crops, for the kernel `crop-warp`.
 *
 * @param windows float32 [N, 4]: left, top, right, bottom
 * @param offset where in a crop's pixel its sample lies. ½, the middle, agrees with what
 *   `render-poses` draws of the same window; 0, the corner, is what published networks expect of the
 *   squares of {@link cropSquares}.
 * @returns float32 [N, 3, 3], row-major: crop pixel (i, j, 1) → image pixel
 */
export function cropToImage(
  windows: Float32Array,
  width: number,
  height: number,
  offset: 0 | 0.5,
): Float32Array<ArrayBuffer> {
  const transforms = new Float32Array((windows.length / 4) * 9);
  for (let index = 0; index * 4 < windows.length; index++) {
    const [left, top, right, bottom] = windows.subarray(index * 4, index * 4 + 4);
    const across = (right - left) / width;
    const down = (bottom - top) / height;
    const rows = [across, 0, left + offset * across, 0, down, top + offset * down, 0, 0, 1];
    transforms.set(rows, index * 9);
  }
  return transforms;
}
