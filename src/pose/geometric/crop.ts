import type { Intrinsics } from '../crops.ts';

/** A frame of depth, and which of its pixels show the object. */
export interface DepthObservation {
  readonly width: number;
  readonly height: number;
  /** float32 [height, width], metres; 0 where there is none. */
  readonly depth: Float32Array;
  /** uint8 [height, width]; non-zero for the object. */
  readonly mask: Uint8Array;
  readonly intrinsics: Intrinsics;
}

/** A square around the mask, with every `stride`-th pixel of the image. */
export interface DepthCrop {
  /** Pixels; a multiple of 4. */
  readonly side: number;
  readonly depth: Float32Array<ArrayBuffer>;
  readonly mask: Uint8Array<ArrayBuffer>;
  /** Of the crop's pixels. */
  readonly intrinsics: Intrinsics;
  /** Of the mask's box in the crop's pixels. */
  readonly maskCenter: readonly [u: number, v: number];
  /** Median of the mask's valid depths, metres. */
  readonly maskDepth: number;
}

/** Crops are seen at a quarter of their size too. */
const CROP_MULTIPLE = 4;

/** Largest side: what is nearer is thinned out. */
const MAX_SIDE = 176;

/** Pixels of the mask that must have depth. */
const MIN_VALID = 4;

/**
 * Cuts out what an object of this diameter can cover where the mask is.
 *
 * @throws {RangeError} for a mask with fewer than 4 valid depths.
 */
export function cropObservation(observation: DepthObservation, diameter: number): DepthCrop {
  const { width, depth, mask, intrinsics } = observation;
  const box = { left: width, top: Number.POSITIVE_INFINITY, right: -1, bottom: -1 };
  const depths: number[] = [];
  mask.forEach((value, pixel) => {
    if (value === 0) return;
    const [u, v] = [pixel % width, Math.floor(pixel / width)];
    box.left = Math.min(box.left, u);
    box.right = Math.max(box.right, u);
    box.top = Math.min(box.top, v);
    box.bottom = Math.max(box.bottom, v);
    if (depth[pixel] > 0 && Number.isFinite(depth[pixel])) depths.push(depth[pixel]);
  });
  if (depths.length < MIN_VALID) {
    throw new RangeError(
      `the mask has ${depths.length} pixels with depth; expected at least ${MIN_VALID}`,
    );
  }
  const maskDepth = median(depths);
  const focal = Math.max(Math.abs(intrinsics.fx), Math.abs(intrinsics.fy));
  const extent = Math.max(box.right - box.left, box.bottom - box.top) + 1;
  // The part that is seen can lie at the edge of what is hidden.
  const reach = Math.max(extent, (1.5 * focal * diameter) / maskDepth) * 1.1;
  const stride = Math.max(1, Math.ceil(reach / MAX_SIDE));
  const side = Math.ceil(reach / stride / CROP_MULTIPLE) * CROP_MULTIPLE;
  const left = Math.round((box.left + box.right - side * stride) / 2);
  const top = Math.round((box.top + box.bottom - side * stride) / 2);
  return {
    ...sampled(observation, left, top, side, stride),
    side,
    intrinsics: {
      fx: intrinsics.fx / stride,
      fy: intrinsics.fy / stride,
      cx: (intrinsics.cx - left) / stride,
      cy: (intrinsics.cy - top) / stride,
    },
    maskCenter: [
      ((box.left + box.right) / 2 - left) / stride,
      ((box.top + box.bottom) / 2 - top) / stride,
    ],
    maskDepth,
  };
}

function sampled(
  { width, height, depth, mask }: DepthObservation,
  left: number,
  top: number,
  side: number,
  stride: number,
) {
  const cropped = { depth: new Float32Array(side * side), mask: new Uint8Array(side * side) };
  for (let row = 0, at = 0; row < side; row++) {
    const v = top + row * stride;
    for (let column = 0; column < side; column++, at++) {
      const u = left + column * stride;
      if (u < 0 || v < 0 || u >= width || v >= height) continue;
      cropped.depth[at] = depth[v * width + u];
      cropped.mask[at] = mask[v * width + u];
    }
  }
  return cropped;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
