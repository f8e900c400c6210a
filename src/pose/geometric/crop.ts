import type { Intrinsics } from '../crops.ts';
import { DEPTH_IN_RANGE, isValidDepth, MIN_DEPTHS, maskedDepths } from '../valid_depth.ts';

/** A frame of depth. */
export interface DepthFrame {
  readonly width: number;
  readonly height: number;
  /** float32 [height, width], metres; 0 where there is none. */
  readonly depth: Float32Array;
  readonly intrinsics: Intrinsics;
}

/** And which of its pixels show the object. */
export interface DepthObservation extends DepthFrame {
  /** uint8 [height, width]; non-zero for the object. */
  readonly mask: Uint8Array;
}

/** A square of a frame around an object, with every `stride`-th pixel. */
export interface DepthCrop {
  /** Pixels; a multiple of 4. */
  readonly side: number;
  readonly depth: Float32Array<ArrayBuffer>;
  /** The same of what may be the object, and 0 elsewhere: poses are drawn to this. */
  readonly surface: Float32Array<ArrayBuffer>;
  /** Non-zero for the pixels that the object must explain. */
  readonly mask: Uint8Array<ArrayBuffer>;
  /** Of the crop's pixels. */
  readonly intrinsics: Intrinsics;
  /** How far away the object is, metres. */
  readonly distance: number;
}

/** A crop around a mask; `distance` is the median of the mask's valid depths. */
export interface MaskCrop extends DepthCrop {
  /** The middle of the mask's box, in the crop's pixels. */
  readonly maskCenter: readonly [u: number, v: number];
}

/** Crops are seen at a quarter of their size too. */
const CROP_MULTIPLE = 4;

/** Largest side: what is nearer is thinned out. */
const MAX_SIDE = 176;

/** How far from a pose the object may be, along the line of sight, by the diameter. */
const REACH = 1;

/**
 * Cuts out what an object of this diameter can cover where the mask is.
 *
 * @throws {RangeError} for a mask with fewer than 4 valid depths.
 */
export function cropMask(observation: DepthObservation, diameter: number): MaskCrop {
  const { width, depth, mask, intrinsics } = observation;
  const { box, depths } = maskedDepths(depth, mask, width);
  const distance = median(depths);
  const extent = Math.max(box.right - box.left, box.bottom - box.top) + 1;
  // The part that is seen can lie at the edge of what is hidden.
  const reach = Math.max(extent, (1.5 * focal(intrinsics) * diameter) / distance) * 1.1;
  const middle = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
  const square = squareAt(middle[0], middle[1], reach);
  const cropped = sampled(depth, observation, square);
  const masked = sampled(mask, observation, square);
  return {
    side: square.side,
    depth: cropped,
    surface: cropped.map((z, pixel) => (masked[pixel] === 0 ? 0 : z)),
    mask: masked,
    intrinsics: intrinsicsOf(intrinsics, square),
    distance,
    maskCenter: [
      (middle[0] - square.left) / square.stride,
      (middle[1] - square.top) / square.stride,
    ],
  };
}

/**
 * Cuts out what an object of this diameter can cover that was here a frame ago. All pixels count: what
 * is not the object shows as one that hides it, or that is seen through it.
 *
 * @param place the middle of the object's box, camera frame, metres
 * @throws {RangeError} for a place that is not before the camera, out of its sight, or without depth
 */
export function cropPlace(
  frame: DepthFrame,
  place: readonly number[],
  diameter: number,
): DepthCrop {
  const [x, y, z] = place;
  const { fx, fy, cx, cy } = frame.intrinsics;
  if (!(z > 0)) {
    throw new RangeError(
      `the last pose has the object's middle ${z} m before the camera; expected more than 0: ` +
        'register the object anew',
    );
  }
  const [u, v] = [(fx * x) / z + cx, (fy * y) / z + cy];
  const reach = (1.5 * focal(frame.intrinsics) * diameter) / z;
  const { width, height } = frame;
  const isBeside = (at: number, size: number) => !(Math.abs(2 * at - size + 1) <= size + reach);
  if (isBeside(u, width) || isBeside(v, height)) {
    throw new RangeError(
      `the last pose has the object's middle at pixel (${Math.round(u)}, ${Math.round(v)}), out of ` +
        `sight of a picture of ${width}x${height}: register the object anew`,
    );
  }
  const square = squareAt(u, v, reach);
  const cropped = sampled(frame.depth, frame, square);
  const reachable = REACH * diameter;
  const surface = cropped.map((depth) => (Math.abs(depth - z) < reachable ? depth : 0));
  const near = surface.reduce((count, depth) => count + Number(isValidDepth(depth)), 0);
  if (near < MIN_DEPTHS) {
    throw new RangeError(
      `${near} pixels have ${DEPTH_IN_RANGE}, within ${reachable.toPrecision(3)} m of the last pose; ` +
        `expected at least ${MIN_DEPTHS}: check the depth's scale, or register the object anew`,
    );
  }
  return {
    side: square.side,
    depth: cropped,
    surface,
    mask: new Uint8Array(cropped.length).fill(255),
    intrinsics: intrinsicsOf(frame.intrinsics, square),
    distance: z,
  };
}

function focal({ fx, fy }: Intrinsics): number {
  return Math.max(Math.abs(fx), Math.abs(fy));
}

/** Pixels of the image: (left + i·stride, top + j·stride). */
interface Square {
  readonly left: number;
  readonly top: number;
  readonly stride: number;
  readonly side: number;
}

function squareAt(u: number, v: number, reach: number): Square {
  const stride = Math.max(1, Math.ceil(reach / MAX_SIDE));
  const side = Math.ceil(reach / stride / CROP_MULTIPLE) * CROP_MULTIPLE;
  const half = (side * stride) / 2;
  return { left: Math.round(u - half), top: Math.round(v - half), stride, side };
}

/** The square's pixels; 0 outside of the image. */
function sampled(
  source: Float32Array,
  frame: DepthFrame,
  square: Square,
): Float32Array<ArrayBuffer>;
function sampled(source: Uint8Array, frame: DepthFrame, square: Square): Uint8Array<ArrayBuffer>;
function sampled(
  source: Float32Array | Uint8Array,
  { width, height }: DepthFrame,
  { left, top, stride, side }: Square,
) {
  const count = side * side;
  const pixels = source instanceof Uint8Array ? new Uint8Array(count) : new Float32Array(count);
  for (let row = 0, at = 0; row < side; row++) {
    const v = top + row * stride;
    for (let column = 0; column < side; column++, at++) {
      const u = left + column * stride;
      if (u >= 0 && v >= 0 && u < width && v < height) pixels[at] = source[v * width + u];
    }
  }
  return pixels;
}

function intrinsicsOf({ fx, fy, cx, cy }: Intrinsics, { left, top, stride }: Square): Intrinsics {
  return { fx: fx / stride, fy: fy / stride, cx: (cx - left) / stride, cy: (cy - top) / stride };
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
