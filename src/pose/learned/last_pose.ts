import { CROP_RATIO } from '../../../kernels/pose-crops/kernel.ts';
import type { Mesh } from '../../media/mesh/mesh.ts';
import { cropSquares } from '../crops.ts';
import type { RgbdFrame } from '../method.ts';
import { DEPTH_IN_RANGE, isValidDepth, MIN_DEPTHS } from '../valid_depth.ts';

/**
 * What tracking can start from.
 *
 * @param pose float32 [4, 4], row-major: the centred mesh → camera, metres
 * @throws {RangeError} for a pose behind the camera or out of sight, and where no depth is near it.
 */
export function checkLastPose(
  pose: Float32Array,
  { diameter }: Pick<Mesh, 'diameter'>,
  { width, height, depth, intrinsics }: RgbdFrame,
): void {
  const z = pose[11];
  if (!pose.every(Number.isFinite) || z <= 0) {
    throw new RangeError(
      `the last pose has the object's middle ${z} m ahead of the camera; expected finite numbers and ` +
        'an object in front of it: register it anew',
    );
  }
  const square = cropSquares(pose, { intrinsics, diameter, ratio: CROP_RATIO.refiner });
  const [left, top, right, bottom] = square;
  if (right <= 0 || bottom <= 0 || left >= width || top >= height) {
    throw new RangeError(
      `the last pose is out of sight: it would be seen at x ${left} to ${right} and y ${top} to ` +
        `${bottom} of a frame of ${width}x${height}; register the object anew`,
    );
  }
  let near = 0;
  for (let v = Math.max(top, 0); v < Math.min(bottom, height); v++) {
    for (let u = Math.max(left, 0); u < Math.min(right, width); u++) {
      const seen = depth[v * width + u];
      near += Number(isValidDepth(seen) && Math.abs(seen - z) <= diameter);
    }
  }
  if (near >= MIN_DEPTHS) return;
  throw new RangeError(
    `${near} pixels have ${DEPTH_IN_RANGE}, within ${diameter.toPrecision(3)} m of the last pose; ` +
      `expected at least ${MIN_DEPTHS}: check the depth's scale, or register the object anew`,
  );
}
