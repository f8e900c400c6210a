import { xyzNormals } from '../../../kernels/xyz-normals/kernel.ts';
import type { Backend } from '../../compute/backend.ts';
import { withTensors } from '../../compute/scope.ts';
import { type IcpRound, type ObservedSurface, refineIcp } from '../refine_icp.ts';
import type { DepthCrop } from './crop.ts';
import { type Level, type LoadedShape, renderLevel, scoreLevel } from './level.ts';

/** Depth per width of the steepest surface that has normals: beyond it lies another one. */
const MAX_SLOPE = 4;

/** Enough that noise does not move poses far where the part that is seen says little. */
const DAMPING = 1e-2;

/** What poses are refined against: a crop, on the device. */
export interface Scene {
  readonly backend: Backend;
  readonly crop: DepthCrop;
  readonly surface: ObservedSurface;
  /** Metres. */
  readonly diameter: number;
}

/** How poses are refined: a rendering for each gate, and some steps of ICP with its points. */
export interface Refinement {
  /** Largest distances of pairs, by the diameter. */
  readonly gates: readonly number[];
  readonly steps: number;
}

/**
 * Poses [N, 4, 4] moved by ICP with the points that are seen of each then, and after them those that
 * were given: where the part that is seen says little of a direction, as within a plane, noise moves
 * poses away from good places.
 *
 * @returns float32 [2·N, 4, 4]
 */
export async function refinedAndBefore(
  scene: Scene,
  level: Level,
  shape: LoadedShape,
  poses: Float32Array,
  { gates, steps }: Refinement,
): Promise<Float32Array<ArrayBuffer>> {
  const both = new Float32Array(poses.length * 2);
  both.set(poses);
  both.set(poses, poses.length);
  const refined = both.subarray(0, poses.length);
  for (const gate of gates) {
    const maxDistance = gate * scene.diameter;
    const round = { steps, maxDistance, minCosine: 0.6, damping: DAMPING };
    await refineOnce(scene, level, shape, refined, round);
  }
  return both;
}

/** The scores [N, 7] of poses; `tolerance` by the diameter. */
export function scoresOf(
  { backend, crop, diameter }: Scene,
  level: Level,
  shape: LoadedShape,
  poses: Float32Array,
  tolerance: number,
): Promise<Float32Array> {
  return withTensors(backend, (keep) => {
    const rendered = keep(renderLevel(backend, shape, level, crop, poses));
    return scoreLevel(backend, level, rendered, tolerance * diameter);
  });
}

function refineOnce(
  { backend, crop, surface }: Scene,
  level: Level,
  shape: LoadedShape,
  poses: Float32Array,
  round: IcpRound,
): Promise<void> {
  const images = poses.length / 16;
  const pixel = (level.factor * crop.distance) / crop.intrinsics.fx;
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
