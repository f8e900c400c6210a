import { withTensors } from '../../compute/scope.ts';
import { elementCount, type Tensor } from '../../compute/tensor.ts';
import type { ScorerTensors } from '../../models/pose_contracts.ts';
import { evenBatches } from './batches.ts';
import { inputDims, type NetworkInputs, networkInputs } from './network_inputs.ts';
import type { OpenGraph } from './refine.ts';
import type { Keep, Scene } from './scene.ts';

/** How many hypotheses fit at once. */
interface Room {
  /** In one run of the scorer. */
  readonly set: number;
  /** In one batch of crops. */
  readonly batch: number;
}

/** A pose of the set, by its number, and its logit. */
interface Scored {
  readonly index: number;
  readonly score: number;
}

/**
 * Scores poses against each other; higher is better. The scorer attends over the whole set, so that
 * logits of different sets cannot be compared, and the whole set is one run.
 *
 * Where a device has no room for that (252 hypotheses take tensors of 826 MB), it becomes a
 * tournament: sets of equal size, the best of each go on until the rest fits into one set. What
 * lost on the way is left out of the answer. The published graphs cannot be cut between what they do for each
 * hypothesis and the attention over all.
 *
 * @param poses float32 [N, 4, 4], row-major: the centred mesh → camera
 */
export async function scorePoses(
  scene: Scene,
  scorer: OpenGraph<ScorerTensors>,
  poses: Tensor<'float32'>,
  room: Room,
): Promise<Scored[]> {
  let left = Array.from({ length: poses.dims[0] }, (_, index) => index);
  // Two of them can always be held against each other.
  const most = Math.max(room.set, 2);
  while (left.length > most) {
    const sets = evenBatches(left.length, most);
    const each = Math.max(1, Math.floor(most / sets.length));
    const winners: number[] = [];
    for (const { first, count } of sets) {
      const scored = await scoreSet(scene, scorer, poses, left.slice(first, first + count), room);
      const best = scored.toSorted((a, b) => b.score - a.score).slice(0, each);
      winners.push(...best.map(({ index }) => index));
    }
    left = winners;
  }
  return scoreSet(scene, scorer, poses, left, room);
}

/** One run of the scorer. */
function scoreSet(
  scene: Scene,
  { model, tensors }: OpenGraph<ScorerTensors>,
  poses: Tensor<'float32'>,
  members: readonly number[],
  room: Room,
): Promise<Scored[]> {
  const { backend } = scene;
  return withTensors(backend, async (keep) => {
    const set = keep(backend.empty('float32', [members.length, 4, 4]));
    for (const { from, to, count } of runsOf(members)) {
      backend.copy(poses, set, { from: from * 16, to: to * 16, count: count * 16 });
    }
    const { rendered, observed } = setInputs(scene, keep, set, tensors, room.batch);
    const feeds = { [tensors.rendered]: rendered, [tensors.observed]: observed };
    const answer = await model.run(feeds, [tensors.scores]);
    const scores = await backend.download(keep(answer[tensors.scores]));
    if (scores.length !== members.length) {
      throw new Error(
        `the scorer gave ${scores.length} scores for ${members.length} poses; expected one a pose`,
      );
    }
    return members.map((index, at) => ({ index, score: Number(scores[at]) }));
  });
}

/** Inputs of the whole set, whose crops are made some at a time. */
function setInputs(
  scene: Scene,
  keep: Keep,
  set: Tensor<'float32'>,
  { channelsFirst }: ScorerTensors,
  most: number,
): NetworkInputs {
  const { backend } = scene;
  const dims = inputDims(set.dims[0], channelsFirst);
  const whole = () => keep(backend.empty('float32', dims));
  const inputs = { rendered: whole(), observed: whole() };
  const values = elementCount(dims.slice(1));
  for (const { first, count } of evenBatches(set.dims[0], most)) {
    const poses = backend.empty('float32', [count, 4, 4]);
    backend.copy(set, poses, { from: first * 16, count: count * 16 });
    const part = networkInputs(scene, poses, { part: 'scorer', channelsFirst });
    backend.copy(part.rendered, inputs.rendered, { to: first * values });
    backend.copy(part.observed, inputs.observed, { to: first * values });
    backend.release(poses, part.rendered, part.observed);
  }
  return inputs;
}

/** Ascending numbers as runs of neighbours: a copy each. */
function runsOf(members: readonly number[]): { from: number; to: number; count: number }[] {
  const runs: { from: number; to: number; count: number }[] = [];
  members.forEach((member, to) => {
    const last = runs.at(-1);
    if (last && member === last.from + last.count) last.count++;
    else runs.push({ from: member, to, count: 1 });
  });
  return runs;
}
