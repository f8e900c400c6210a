/**
 * The whole loop against models/export/pose_reference.py: NumPy in float64, with its own renderer,
 * crops and networks.
 *
 * The graphs' weights are random, but what they see is pooled over the picture, so that a pixel at the
 * silhouette weighs 1e-5: corners are rounded to 1/256 of a pixel, by SwiftShader to 1/16, and there a
 * pixel may fall to the other side. Where the edge of a crop would be rounded to another pixel is
 * another matter: all hypotheses start far from it, and the few that are refined on are such that
 * stay so. An iteration moves poses by hundreds of times the tolerance.
 */
import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { devices } from '../../../test/devices.ts';
import { maxAbsoluteError } from '../../../test/numbers.ts';
import type { Backend } from '../../compute/backend.ts';
import { withTensors } from '../../compute/scope.ts';
import { OpenModels } from '../../models/open_models.ts';
import type { LearnedPoseModel, PoseContract } from '../../models/pose_contracts.ts';
import { posesAt, startRotations } from '../viewpoints.ts';
import { maskedObject } from './hypotheses.ts';
import {
  fixture,
  frame,
  installed,
  mask,
  mesh,
  referenceRotation,
  unpack,
} from './learned_fixture.ts';
import { refinePoses } from './refine.ts';
import { loadScene, RenderMeshes } from './scene.ts';
import { scorePoses } from './score.ts';

setDefaultTimeout(240_000);

const CONTRACTS: readonly PoseContract[] = ['ngc', 'hugging-face', 'cpp'];
const models: Record<string, LearnedPoseModel> = {};
for (const contract of CONTRACTS) models[contract] = await installed(contract);

const ALL = Array.from({ length: 252 }, (_, index) => index);

interface Options {
  readonly members: readonly number[];
  readonly iterations: number;
  /** Hypotheses at once. @default 12 */
  readonly batch?: number;
  /** In one set of the scorer. @default all */
  readonly set?: number;
}

async function run(
  backend: Backend,
  { refiner, scorer }: LearnedPoseModel,
  { members, iterations, batch = 12, set = 252 }: Options,
) {
  const open = new OpenModels(backend);
  return withTensors(backend, async (keep) => {
    const object = { mesh, symmetries: [] };
    const scene = loadScene(backend, keep, object, new RenderMeshes().of(mesh), frame);
    const { place } = maskedObject(await backend.download(scene.depth), mask, scene);
    const started = posesAt(members.map(referenceRotation), place);
    const start = keep(backend.upload(started, [members.length, 4, 4]));
    const moving = { model: await open.get(refiner.source), tensors: refiner.tensors };
    const refined = keep(await refinePoses(scene, moving, start, { iterations, most: batch }));
    const judging = { model: await open.get(scorer.source), tensors: scorer.tensors };
    const scored = await scorePoses(scene, judging, refined, { set, batch });
    const rows = (await backend.download(refined)).filter((_, at) => at % 16 < 12);
    const winner = scored.toSorted((a, b) => b.score - a.score)[0].index;
    return { place, rows, scored, winner };
  });
}

function floats(packed: Parameters<typeof unpack>[0]): Float32Array {
  return unpack(packed) as Float32Array;
}

function winnerOf(scores: Float32Array): number {
  return scores.indexOf(Math.max(...scores));
}

test('the hypotheses are the reference’s 252, in another order', () => {
  const own = startRotations();
  const matched = own.map((rotation) =>
    ALL.findIndex((index) => maxAbsoluteError(referenceRotation(index), rotation) < 1e-6),
  );
  expect(matched.toSorted((a, b) => a - b)).toEqual(ALL);
});

describe.each(devices)('the learned loop on %s', (_, backend) => {
  const { software } = backend.info;
  if (software) console.warn('SKIPPED the 252 hypotheses on software: a minute of SwiftShader');
  const { members, iterations, refined, scores } = fixture.few;

  test.each(CONTRACTS)('%s: some hypotheses end where the reference has them', async (contract) => {
    const result = await run(backend, models[contract], { members, iterations });
    expect(maxAbsoluteError(result.place, fixture.translation)).toBeLessThan(1e-5);
    expect(maxAbsoluteError(result.rows, floats(refined))).toBeLessThan(1e-4);
    const own = result.scored.map(({ score }) => score);
    expect(maxAbsoluteError(own, floats(scores))).toBeLessThan(0.02);
    expect(result.winner).toBe(winnerOf(floats(scores)));
  });

  test('control: an iteration less, or rendering and observation swapped', async () => {
    const less = await run(backend, models.cpp, { members, iterations: iterations - 1 });
    expect(maxAbsoluteError(less.rows, floats(refined))).toBeGreaterThan(1e-3);
    const { refiner, scorer } = models.cpp;
    const swap = <T extends { rendered: string; observed: string }>(tensors: T): T => ({
      ...tensors,
      rendered: tensors.observed,
      observed: tensors.rendered,
    });
    const swapped = {
      ...models.cpp,
      refiner: { ...refiner, tensors: swap(refiner.tensors) },
      scorer: { ...scorer, tensors: swap(scorer.tensors) },
    };
    const other = await run(backend, swapped, { members, iterations });
    expect(maxAbsoluteError(other.rows, floats(refined))).toBeGreaterThan(1e-3);
  });

  test('batches and one run of all give the same', async () => {
    const some = { members, iterations: 1 };
    const whole = await run(backend, models.ngc, { ...some, batch: 6 });
    const parts = await run(backend, models.ngc, { ...some, batch: 4 });
    expect(maxAbsoluteError(parts.rows, whole.rows)).toBeLessThan(1e-6);
    const scoresOf = ({ scored }: typeof whole) => scored.map(({ score }) => score);
    expect(maxAbsoluteError(scoresOf(parts), scoresOf(whole))).toBeLessThan(1e-4);
  });

  test.skipIf(software)('all 252 at once: the same poses and winner', async () => {
    const { all } = fixture;
    const result = await run(backend, models.ngc, { members: ALL, iterations: all.iterations });
    expect(maxAbsoluteError(result.rows, floats(all.refined))).toBeLessThan(1e-4);
    const expected = floats(all.scores);
    const sure = result.scored.filter(({ index }) => unpack(all.sure)[index] !== 0);
    expect(sure.length).toBeGreaterThan(200);
    const errors = sure.map(({ index, score }) => Math.abs(score - expected[index]));
    expect(Math.max(...errors)).toBeLessThan(0.02);
    expect(result.winner).toBe(winnerOf(expected));
  });

  test.skipIf(software)('where the set has no room, the winner comes of a tournament', async () => {
    const { all } = fixture;
    const options = { members: ALL, iterations: all.iterations, set: 80 };
    const { scored, winner } = await run(backend, models.ngc, options);
    expect(scored).toHaveLength(80);
    expect(new Set(scored.map(({ index }) => index)).size).toBe(80);
    // Scores depend on the set, so the order may differ: the winner is among the best of all.
    const better = floats(all.scores).filter((score, _index, scores) => score > scores[winner]);
    expect(better.length).toBeLessThan(5);
  });
});
