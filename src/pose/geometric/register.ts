import { SCORE } from '../../../kernels/pose-score/kernel.ts';
import type { Backend } from '../../compute/backend.ts';
import { withTensors } from '../../compute/scope.ts';
import type { PoseEstimate } from '../method.ts';
import { type Nearness, uncentered } from '../symmetric_poses.ts';
import { startRotations } from '../viewpoints.ts';
import { alignWithMask, distinctBest, posesAtMask, takePoses, totalsOf } from './candidates.ts';
import { cropMask, type DepthObservation, type MaskCrop } from './crop.ts';
import {
  type Level,
  type LoadedShape,
  levelOf,
  loadShape,
  pointsOf,
  renderLevel,
  surfaceOf,
} from './level.ts';
import { type Refinement, refinedAndBefore, type Scene, scoresOf } from './refine.ts';
import type { ObjectShape } from './shape_cache.ts';

/** One pass over the poses that are left. */
interface Stage extends Refinement {
  readonly factor: number;
  readonly shape: 'coarse' | 'fine';
  /** Best distinct poses to go on with; the last stage gives as many as are wanted. */
  readonly keep: number;
  /** How near two poses are that count as one: radians, and diameters. */
  readonly same: Nearness;
  /** Of scores, by the diameter. */
  readonly tolerance: number;
}

const SAME: Nearness = { angle: 0.15, distance: 0.05 };
const SAME_ANSWER: Nearness = { angle: 0.25, distance: 0.1 };

const COARSE = { factor: 4, shape: 'coarse', keep: 32, same: SAME } as const;
const MIDDLE = { factor: 4, shape: 'fine', keep: 8, same: SAME } as const;
const FINE = { factor: 2, shape: 'fine', keep: 1, same: SAME_ANSWER } as const;

const STAGES: readonly Stage[] = [
  { ...COARSE, gates: [0.25, 0.15], steps: 6, tolerance: 0.06 },
  { ...MIDDLE, gates: [0.1, 0.08], steps: 6, tolerance: 0.05 },
  { ...FINE, gates: [0.08, 0.05, 0.05], steps: 6, tolerance: 0.04 },
];

/** Rotations to start from that a symmetry makes one; their places agree. */
const SAME_START: Nearness = { angle: Math.PI / 9, distance: Number.POSITIVE_INFINITY };

/** Poses that are refined for each that is wanted. */
const SPARE = 2;

/**
 * The poses of an object in a frame of depth, from its shape alone, the best first: rotations all
 * around at the mask are moved by point-to-plane ICP, and what is rendered of them is held against
 * the depth, free space included.
 *
 * A score is the number of inliers less violations of free space, uncovered pixels, those behind the
 * surface and half of those outside of the mask, by the mask's pixels: 1 at best. The inlier fraction
 * is of the mask's pixels that have depth.
 *
 * @param top distinct poses to give, at most; those that a symmetry makes one count once
 * @throws {RangeError} for a mask with fewer than 4 valid depths.
 */
export function registerGeometric(
  backend: Backend,
  object: ObjectShape,
  observation: DepthObservation,
  top: number,
): Promise<PoseEstimate[]> {
  const { diameter, center } = object;
  const crop = cropMask(observation, diameter);
  return withTensors(backend, async (keep) => {
    const shapes = {
      coarse: loadShape(backend, keep, object.coarse),
      fine: loadShape(backend, keep, object.fine),
    };
    const points = pointsOf(backend, keep, crop);
    const scene: Scene = { backend, crop, surface: surfaceOf(backend, keep, crop), diameter };
    const levels = new Map(
      STAGES.map(({ factor }) => [factor, levelOf(backend, keep, crop, points, factor)]),
    );
    let poses = startsAt(crop, object.symmetries);
    await align(scene, crop, levels.get(COARSE.factor)!, shapes.coarse, poses);
    let found: PoseEstimate[] = [];
    for (const stage of STAGES) {
      const count = stage.keep === 1 ? top : Math.max(stage.keep, top * SPARE);
      const [level, shape] = [levels.get(stage.factor)!, shapes[stage.shape]];
      poses = await refinedAndBefore(scene, level, shape, poses, stage);
      const scores = await scoresOf(scene, level, shape, poses, stage.tolerance);
      const near = { ...stage.same, distance: stage.same.distance * diameter };
      const best = distinctBest(poses, totalsOf(scores, level), count, near, object.symmetries);
      found = best.map((index) => estimateOf(index, poses, scores, level));
      poses = takePoses(poses, best);
    }
    return found.map((estimate) => ({ ...estimate, pose: uncentered(estimate.pose, center) }));
  });
}

/** FoundationPose's rotations at the mask, less those that a symmetry makes one with another. */
function startsAt(crop: MaskCrop, symmetries: Float32Array): Float32Array<ArrayBuffer> {
  const poses = posesAtMask(startRotations(), crop);
  if (symmetries.length === 16) return poses;
  const all = new Array<number>(poses.length / 16).fill(0);
  return takePoses(poses, distinctBest(poses, all, all.length, SAME_START, symmetries));
}

function align(
  { backend }: Scene,
  crop: MaskCrop,
  level: Level,
  shape: LoadedShape,
  poses: Float32Array,
): Promise<void> {
  return withTensors(backend, async (keep) => {
    const rendered = keep(renderLevel(backend, shape, level, crop, poses));
    alignWithMask(poses, await backend.download(rendered), level, crop);
  });
}

function estimateOf(
  index: number,
  poses: Float32Array,
  scores: Float32Array,
  level: Level,
): PoseEstimate {
  const row = scores.subarray(index * SCORE.columns, (index + 1) * SCORE.columns);
  return {
    pose: Float32Array.from(poses.subarray(index * 16, index * 16 + 16)),
    score: totalsOf(row, level)[0],
    // Smoothing gives a depth to a pixel here and there that had none.
    inlierFraction: Math.min(row[SCORE.inliers] / Math.max(level.maskedDepths, 1), 1),
    residual: row[SCORE.residual],
  };
}
