/** The Vision Transformer's patch: sides of the input are multiples of it. */
export const PATCH = 14;

export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * The size at which an image enters a depth model: Depth Anything V2's own rule
 * (`Resize(keep_aspect_ratio=True, ensure_multiple_of=14, resize_method='lower_bound')` in
 * depth_anything_v2/util/transform.py). The aspect is kept, neither side falls below
 * `modelInputSize`, and each side is rounded, halves to even, to a multiple of 14.
 */
export function depthInputSize({ width, height }: Size, modelInputSize: number): Size {
  const scale = Math.max(modelInputSize / width, modelInputSize / height);
  return {
    width: toMultiple(scale * width, modelInputSize),
    height: toMultiple(scale * height, modelInputSize),
  };
}

function toMultiple(length: number, minimum: number): number {
  const nearest = roundHalfToEven(length / PATCH) * PATCH;
  return nearest < minimum ? Math.ceil(length / PATCH) * PATCH : nearest;
}

/** `np.round`; `Math.round` takes halves up. */
function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const fraction = value - floor;
  if (fraction !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
