import { SCORE } from '../../../kernels/pose-score/kernel.ts';
import type { Backend } from '../../compute/backend.ts';
import { withTensors } from '../../compute/scope.ts';
import type { PoseEstimate } from '../method.ts';
import { centered, uncentered } from '../symmetric_poses.ts';
import { takePoses } from './candidates.ts';
import { cropPlace, type DepthFrame } from './crop.ts';
import { type Level, type LoadedShape, levelOf, loadShape, pointsOf, surfaceOf } from './level.ts';
import { type Refinement, refinedAndBefore, type Scene, scoresOf } from './refine.ts';
import type { ObjectShape } from './shape_cache.ts';

/** One pass over the poses that are left. */
interface Stage extends Refinement {
  readonly factor: number;
  readonly shape: 'coarse' | 'fine';
  /** Best poses to go on with. */
  readonly keep: number;
  /** Of scores, by the diameter; the last is that of a registration. */
  readonly tolerance: number;
}

const STAGES: readonly Stage[] = [
  { factor: 4, shape: 'coarse', keep: 3, gates: [0.25, 0.15], steps: 4, tolerance: 0.06 },
  { factor: 2, shape: 'fine', keep: 1, gates: [0.08, 0.05], steps: 6, tolerance: 0.04 },
];

/** How far beside the last pose others start, along and about each axis: diameters and radians. */
const START = { distance: 0.15, angle: 0.2 };

/**
 * The pose of an object that was at `last` a frame ago, from its shape alone: it and some beside it
 * are drawn to the depth around by point-to-plane ICP, and the one that explains it best is taken.
 *
 * The inlier fraction is of the pixels that show the object as rendered and have depth; what hides it
 * or is seen through it is no inlier. The score is the inliers less those that it is seen through,
 * by the same: 1 at best, and below 0 where the object is gone.
 *
 * @param last float32 [4, 4], row-major: the mesh's own coordinates → camera, metres
 * @throws {RangeError} for a pose behind the camera or out of sight, and where no depth is near it.
 */
export function trackGeometric(
  backend: Backend,
  object: ObjectShape,
  frame: DepthFrame,
  last: Float32Array,
): Promise<PoseEstimate> {
  const { diameter, center } = object;
  const before = centered(last, center);
  const crop = cropPlace(frame, [before[3], before[7], before[11]], diameter);
  return withTensors(backend, async (keep) => {
    const points = pointsOf(backend, keep, crop);
    const scene: Scene = { backend, crop, surface: surfaceOf(backend, keep, crop), diameter };
    let found: Found = { poses: startsAround(before, diameter), scores: new Float32Array() };
    for (const stage of STAGES) {
      const level = levelOf(backend, keep, crop, points, stage.factor);
      const shape = loadShape(backend, keep, object[stage.shape]);
      found = await runStage(scene, level, shape, found.poses, stage);
    }
    return estimateOf(found, center);
  });
}

/** Poses [N, 4, 4], best first, and their scores [N, 7]. */
interface Found {
  readonly poses: Float32Array<ArrayBuffer>;
  readonly scores: Float32Array;
}

async function runStage(
  scene: Scene,
  level: Level,
  shape: LoadedShape,
  starts: Float32Array<ArrayBuffer>,
  stage: Stage,
): Promise<Found> {
  const poses = await refinedAndBefore(scene, level, shape, starts, stage);
  const scores = await scoresOf(scene, level, shape, poses, stage.tolerance);
  const rows = Array.from({ length: poses.length / 16 }, (_, index) =>
    scores.subarray(index * SCORE.columns, (index + 1) * SCORE.columns),
  );
  const totals = rows.map((row) => row[SCORE.inliers] - row[SCORE.violations] - row[SCORE.behind]);
  const best = totals.map((_, index) => index).sort((a, b) => totals[b] - totals[a]);
  return { poses: takePoses(poses, best.slice(0, stage.keep)), scores: rows[best[0]] };
}

/** A pose [4, 4], and that moved along and turned about each of the camera's axes, both ways. */
function startsAround(pose: Float32Array, diameter: number): Float32Array<ArrayBuffer> {
  const starts = [pose];
  for (const sign of [-1, 1]) {
    for (let axis = 0; axis < 3; axis++) {
      const moved = pose.slice();
      moved[axis * 4 + 3] += sign * START.distance * diameter;
      if (moved[11] > 0) starts.push(moved);
      starts.push(turned(pose, axis, sign * START.angle));
    }
  }
  const poses = new Float32Array(starts.length * 16);
  starts.forEach((start, index) => {
    poses.set(start, index * 16);
  });
  return poses;
}

/** A pose [4, 4] turned about its own middle and an axis of the camera. */
function turned(pose: Float32Array, axis: number, radians: number): Float32Array {
  const [c, s] = [Math.cos(radians), Math.sin(radians)];
  const [first, second] = [((axis + 1) % 3) * 4, ((axis + 2) % 3) * 4];
  const result = pose.slice();
  for (let column = 0; column < 3; column++) {
    const [p, q] = [pose[first + column], pose[second + column]];
    result[first + column] = c * p - s * q;
    result[second + column] = s * p + c * q;
  }
  return result;
}

function estimateOf({ poses, scores }: Found, center: readonly number[]): PoseEstimate {
  const [inliers, violations] = [scores[SCORE.inliers], scores[SCORE.violations]];
  const seen = Math.max(inliers + violations + scores[SCORE.behind], 1);
  return {
    pose: uncentered(poses.subarray(0, 16), center),
    score: (inliers - violations) / seen,
    inlierFraction: inliers / seen,
    residual: scores[SCORE.residual],
  };
}
