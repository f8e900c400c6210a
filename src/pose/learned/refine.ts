import { MAX_ANGLE, poseUpdate } from '../../../kernels/pose-update/kernel.ts';
import type { Model } from '../../compute/backend.ts';
import { withTensors } from '../../compute/scope.ts';
import type { Tensor } from '../../compute/tensor.ts';
import type { RefinerTensors } from '../../models/pose_contracts.ts';
import { evenBatches } from './batches.ts';
import { networkInputs } from './network_inputs.ts';
import type { Scene } from './scene.ts';

/** An opened graph, and what its tensors are called. */
export interface OpenGraph<Tensors> {
  readonly model: Model;
  readonly tensors: Tensors;
}

/**
 * Moves each pose, `iterations` times, by what the refiner says of its rendering and the observation.
 * Hypotheses know nothing of each other here: batches give what all at once would. Poses, pictures and
 * the network's answers stay on the device.
 *
 * @param poses float32 [N, 4, 4], row-major: the centred mesh → camera; stays as it is
 * @param most hypotheses at once
 * @returns float32 [N, 4, 4], the caller's to release
 */
export async function refinePoses(
  scene: Scene,
  { model, tensors }: OpenGraph<RefinerTensors>,
  poses: Tensor,
  { iterations, most }: { readonly iterations: number; readonly most: number },
): Promise<Tensor<'float32'>> {
  const { backend } = scene;
  const refined = backend.empty('float32', poses.dims);
  try {
    for (const { first, count } of evenBatches(poses.dims[0], most)) {
      await withTensors(backend, async (keep) => {
        const pair = [0, 1].map(() => keep(backend.empty('float32', [count, 4, 4])));
        backend.copy(poses, pair[0], { from: first * 16, count: count * 16 });
        for (let step = 0; step < iterations; step++) {
          await refineOnce(scene, { model, tensors }, pair[step % 2], pair[(step + 1) % 2]);
        }
        backend.copy(pair[iterations % 2], refined, { to: first * 16 });
      });
    }
    return refined;
  } catch (error) {
    backend.release(refined);
    throw error;
  }
}

function refineOnce(
  scene: Scene,
  { model, tensors }: OpenGraph<RefinerTensors>,
  poses: Tensor,
  updated: Tensor,
): Promise<void> {
  const { backend, mesh } = scene;
  const { rendered: a, observed: b, translation, rotation } = tensors;
  return withTensors(backend, async (keep) => {
    const { rendered, observed } = networkInputs(scene, poses, tensors);
    const feeds = { [a]: keep(rendered), [b]: keep(observed) };
    const answer = await model.run(feeds, [translation, rotation]);
    const moves = [keep(answer[translation]), keep(answer[rotation])];
    backend.run(poseUpdate, [poses, ...moves, updated], {
      images: poses.dims[0],
      radius: mesh.diameter / 2,
      max_angle: MAX_ANGLE,
    });
  });
}
