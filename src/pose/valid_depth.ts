import { SMOOTH } from '../../kernels/depth-filter/kernel.ts';

/** Pixels of an object that must have depth. */
export const MIN_DEPTHS = 4;

/** What counts as depth, in words. */
export const DEPTH_IN_RANGE = `a depth from ${SMOOTH.min_depth} to ${SMOOTH.max_depth} m`;

/** Whether a depth in metres is one that the depth filter keeps: other pixels count as having none. */
export function isValidDepth(z: number): boolean {
  return z >= SMOOTH.min_depth && z < SMOOTH.max_depth;
}

/** What a mask shows of a depth. */
interface MaskedDepths {
  /** Of the mask: pixels, all inside. */
  readonly box: Readonly<Record<'left' | 'top' | 'right' | 'bottom', number>>;
  /** The valid ones, metres, row by row. */
  readonly depths: readonly number[];
}

/**
 * @param depth float32 [height, width], metres
 * @param mask uint8 [height, width]; non-zero inside
 * @throws {RangeError} for a mask with fewer than 4 valid depths.
 */
export function maskedDepths(depth: Float32Array, mask: Uint8Array, width: number): MaskedDepths {
  const infinite = Number.POSITIVE_INFINITY;
  const box = { left: infinite, top: infinite, right: -1, bottom: -1 };
  const depths: number[] = [];
  mask.forEach((value, pixel) => {
    if (value === 0) return;
    const [u, v] = [pixel % width, Math.floor(pixel / width)];
    box.left = Math.min(box.left, u);
    box.right = Math.max(box.right, u);
    box.top = Math.min(box.top, v);
    box.bottom = Math.max(box.bottom, v);
    if (isValidDepth(depth[pixel])) depths.push(depth[pixel]);
  });
  if (depths.length >= MIN_DEPTHS) return { box, depths };
  throw new RangeError(
    `the mask has ${depths.length} pixels with ${DEPTH_IN_RANGE}; expected at least ` +
      `${MIN_DEPTHS}: check the depth's scale`,
  );
}
