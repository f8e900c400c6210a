import { SCORE } from '../../../kernels/pose-score/kernel.ts';
import { xyzNormals } from '../../../kernels/xyz-normals/kernel.ts';
import type { Backend } from '../../compute/backend.ts';
import { withTensors } from '../../compute/scope.ts';
import type { Mesh } from '../../media/mesh/mesh.ts';
import { type IcpRound, type ObservedSurface, refineIcp } from '../refine_icp.ts';
import { alignWithMask, distinctBest, posesAtMask, takePoses, totalsOf } from './candidates.ts';
import { cropObservation, type DepthCrop, type DepthObservation } from './crop.ts';
import {
  type Level,
  type LoadedShape,
  levelOf,
  loadShape,
  pointsOf,
  renderLevel,
  scoreLevel,
  surfaceOf,
} from './level.ts';
import { simplify } from './simplify.ts';
import { startRotations } from './viewpoints.ts';

/** What the geometric method found. */
export interface GeometricPose {
  /** float32 [4, 4], row-major: the mesh's own coordinates → camera, metres. */
  readonly pose: Float32Array<ArrayBuffer>;
  /**
   * Inliers less violations of free space, uncovered pixels, those behind the surface and half of
   * those outside of the mask, by the mask's pixels: 1 at best.
   */
  readonly score: number;
  /** Share of the mask's pixels with depth that the rendered mesh agrees with. */
  readonly inlierFraction: number;
  /** Mean distance in depth of these, metres. */
  readonly residual: number;
}

/** One pass over the poses that are left. */
interface Stage {
  readonly factor: number;
  readonly shape: 'coarse' | 'fine';
  /** Best distinct poses to go on with. */
  readonly keep: number;
  /** Shares of the diameter: the gates of ICP, one rendering each, and the tolerance of scores. */
  readonly gates: readonly number[];
  readonly steps: number;
  readonly tolerance: number;
}

const STAGES: readonly Stage[] = [
  { factor: 4, shape: 'coarse', keep: 32, gates: [0.25, 0.15], steps: 6, tolerance: 0.06 },
  { factor: 4, shape: 'fine', keep: 8, gates: [0.1, 0.08], steps: 6, tolerance: 0.05 },
  { factor: 2, shape: 'fine', keep: 1, gates: [0.08, 0.05, 0.05], steps: 6, tolerance: 0.04 },
];

/** Vertices closer than these shares of the diameter are merged. */
const CELLS = { coarse: 1 / 24, fine: 1 / 96 };

/** Depth per width of the steepest surface that has normals: beyond it lies another one. */
const MAX_SLOPE = 4;

interface Scene {
  readonly backend: Backend;
  readonly crop: DepthCrop;
  readonly surface: ObservedSurface;
  readonly shapes: Readonly<Record<'coarse' | 'fine', LoadedShape>>;
  readonly diameter: number;
}

/**
 * The pose of a mesh in a frame of depth, from its shape alone: 252 rotations at the mask are moved
 * by point-to-plane ICP, and what is rendered of them is held against the depth, free space
 * included. It cannot tell poses apart that differ by texture alone.
 *
 * @throws {RangeError} for a mask with fewer than 4 valid depths.
 */
export function registerGeometric(
  backend: Backend,
  mesh: Mesh,
  observation: DepthObservation,
): Promise<GeometricPose> {
  const { diameter, positions, indices, center } = mesh;
  const crop = cropObservation(observation, diameter);
  return withTensors(backend, async (keep) => {
    const shapeOf = (share: number) =>
      loadShape(backend, keep, simplify(positions, indices, center, share * diameter));
    const shapes = { coarse: shapeOf(CELLS.coarse), fine: shapeOf(CELLS.fine) };
    const points = pointsOf(backend, keep, crop);
    const surface = surfaceOf(backend, keep, crop);
    const scene: Scene = { backend, crop, surface, shapes, diameter };
    const levels = new Map(
      STAGES.map(({ factor }) => [factor, levelOf(backend, keep, crop, points, factor)]),
    );
    let poses = posesAtMask(startRotations(), crop);
    await align(scene, levels.get(STAGES[0].factor)!, poses);
    let found: Found | undefined;
    for (const stage of STAGES) {
      found = await runStage(scene, levels.get(stage.factor)!, poses, stage);
      poses = found.poses;
    }
    return answer(found!, center);
  });
}

interface Found {
  readonly poses: Float32Array<ArrayBuffer>;
  readonly score: number;
  readonly inlierFraction: number;
  readonly residual: number;
}

function align({ backend, crop, shapes }: Scene, level: Level, poses: Float32Array): Promise<void> {
  return withTensors(backend, async (keep) => {
    const rendered = keep(renderLevel(backend, shapes.coarse, level, crop, poses));
    alignWithMask(poses, await backend.download(rendered), level, crop);
  });
}

async function runStage(
  scene: Scene,
  level: Level,
  poses: Float32Array,
  { shape, keep, gates, steps, tolerance }: Stage,
): Promise<Found> {
  const { backend, crop, shapes, diameter } = scene;
  for (const gate of gates) {
    const round = { steps, maxDistance: gate * diameter, minCosine: 0.6, damping: 1e-3 };
    await refineRendered(scene, level, shapes[shape], poses, round);
  }
  const scores = await withTensors(backend, (keep) => {
    const rendered = keep(renderLevel(backend, shapes[shape], level, crop, poses));
    return scoreLevel(backend, level, rendered, tolerance * diameter);
  });
  const totals = totalsOf(scores, level);
  const best = distinctBest(poses, totals, keep, { angle: 0.15, distance: 0.05 * diameter });
  const row = scores.subarray(best[0] * SCORE.columns, (best[0] + 1) * SCORE.columns);
  return {
    poses: takePoses(poses, best),
    score: totals[best[0]],
    // Smoothing gives a depth to a pixel here and there that had none.
    inlierFraction: Math.min(row[SCORE.inliers] / Math.max(level.maskedDepths, 1), 1),
    residual: row[SCORE.residual],
  };
}

/** ICP with the points that are seen of each pose now. */
function refineRendered(
  { backend, crop, surface }: Scene,
  level: Level,
  shape: LoadedShape,
  poses: Float32Array,
  round: IcpRound,
): Promise<void> {
  const images = poses.length / 16;
  const pixel = (level.factor * crop.maskDepth) / crop.intrinsics.fx;
  return withTensors(backend, async (keep) => {
    const points = keep(renderLevel(backend, shape, level, crop, poses));
    const normals = keep(backend.empty('float32', points.dims));
    const frames = keep(backend.upload(poses, [images, 4, 4]));
    backend.run(xyzNormals, [points, normals], {
      width: level.side,
      height: level.side,
      images,
      radius: 1,
      max_difference: MAX_SLOPE * pixel,
    });
    const cloud = { points, normals, frames, sets: images, count: level.side ** 2 };
    await refineIcp(backend, cloud, surface, poses, [round]);
  });
}

/** The pose of the mesh's own coordinates, whose bounding box has its middle at `center`. */
function answer(found: Found, center: readonly number[]): GeometricPose {
  const pose = found.poses.slice(0, 16);
  for (let row = 0; row < 12; row += 4) {
    const [x, y, z] = pose.subarray(row, row + 3);
    pose[row + 3] -= x * center[0] + y * center[1] + z * center[2];
  }
  const { score, inlierFraction, residual } = found;
  return { pose, score, inlierFraction, residual };
}
