import type { PoseEstimate, RgbdFrame } from './method.ts';

/** Below it less than half of what is seen agrees with the pose. */
const LOW_INLIERS = 0.5;

/**
 * A second pose this near in score might as well be the right one. On the geometric method's generated
 * suite 14 of 200 best poses were: 8 of them right, and all 186 others. Networks' scores have no fixed
 * scale: a share of the first one.
 */
const CLOSE_SCORE = { geometric: () => 0.05, learned: (score: number) => 0.03 * Math.abs(score) };

/** Below it there is little to go by. */
const LOW_VALID = 0.2;

const GEOMETRIC =
  'geometric: the pose is from shape alone; poses that differ by texture cannot be told apart, and flat, box-like and nearly symmetric shapes are unsure';

/** What is known of how a pose was found. */
export interface PoseFacts {
  readonly method: 'geometric' | 'learned';
  /** The best first. */
  readonly poses: readonly PoseEstimate[];
}

/** What makes a pose unsure, in words for the caller. */
export function poseWarnings({ method, poses: [best, second] }: PoseFacts): string[] {
  const warnings: string[] = [];
  const { inlierFraction, score } = best;
  if (inlierFraction < LOW_INLIERS) {
    warnings.push(
      `inlier_fraction is ${inlierFraction.toFixed(2)}: less than half of the depth that was looked at agrees with the mesh at this pose. Take it as unsure; check the mask, the units and that it is this object`,
    );
  }
  if (second && score - second.score <= CLOSE_SCORE[method](score)) {
    warnings.push(
      `another pose scores ${second.score.toFixed(3)} beside ${score.toFixed(3)}: they are hard to tell apart. Ask for top_k 2 to see both; give symmetries where they look the same`,
    );
  }
  if (method === 'geometric') warnings.push(GEOMETRIC);
  return warnings;
}

/** What a mask covers, in pixels. */
interface MaskCoverage {
  readonly inside: number;
  /** Of these, with depth. */
  readonly valid: number;
}

/** @param mask uint8 [height, width]; non-zero inside */
export function maskCoverage(mask: Uint8Array, { depth }: RgbdFrame): MaskCoverage {
  let inside = 0;
  let valid = 0;
  for (let pixel = 0; pixel < mask.length; pixel++) {
    if (mask[pixel] === 0) continue;
    inside++;
    if (depth[pixel] > 0) valid++;
  }
  return { inside, valid };
}

/** Says when a mask has depth in few of its pixels. */
export function depthWarning({ inside, valid }: MaskCoverage): string[] {
  if (valid >= LOW_VALID * inside) return [];
  return [`only ${valid} of the mask's ${inside} pixels have depth`];
}
