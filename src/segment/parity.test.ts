/**
 * The pipeline gives what transformers gives: a tiny randomly initialised SAM 3, run in PyTorch by
 * models/export/make_segment_parity.py with transformers' own processors, against our whole path
 * from the picture's bytes, on every backend.
 */
import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { devices } from '../../test/devices.ts';
import { outputOf } from '../../test/outcomes.ts';
import { openCpuBackend } from '../compute/cpu/backend.ts';
import { countsToString } from '../media/rle.ts';
import type { SegmentedMask } from '../sam/types.ts';
import {
  array,
  type ConceptCase,
  clickCases,
  conceptCases,
  iou,
  pixels,
  recording,
  task,
} from './parity_fixture.ts';
import { runSegment, segmentEngine } from './pipeline.ts';
import type { SegmentTask } from './task.ts';

// A software rasteriser compiles an attention graph in tens of seconds on a busy machine.
setDefaultTimeout(400_000);

const settings = { featureCache: { maxBytes: 64 << 20, ttlMs: 0 } };
const SIDE = 36;

/** Largest |a − b| / (|b| + 5 % of the largest |b|), as the exporter measures. */
function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  const floor = 0.05 * Math.max(...Array.from(expected, Math.abs));
  const errors = Array.from(
    expected,
    (value, i) => Math.abs(actual[i] - value) / (Math.abs(value) + floor),
  );
  return errors.every(Number.isFinite) ? Math.max(...errors) : Number.POSITIVE_INFINITY;
}

/** The queries that passed, the best first: their scores and transformers' strings of them. */
function expectedOf(one: ConceptCase): Expected[] {
  return one.scores
    .map((score, i) => ({ score, rle: one.rle_logits[i] }))
    .sort((a, b) => b.score - a.score);
}

interface Expected {
  readonly score: number;
  readonly rle: string;
}

function expectMasks(masks: readonly SegmentedMask[], expected: readonly Expected[]): void {
  expect(masks).toHaveLength(expected.length);
  masks.forEach((mask, i) => {
    expect(mask.score).toBeCloseTo(expected[i].score, 3);
    expect(iou(mask, expected[i].rle)).toBeGreaterThanOrEqual(0.999);
  });
}

describe.each(devices)('parity on %s', (choice, backend) => {
  const { backend: watched, runs } = recording(backend);
  const engine = segmentEngine(watched, settings);
  const run = async (one: SegmentTask) => {
    runs.length = 0;
    return outputOf((await runSegment(engine, [one]))[0]);
  };
  const outputs = (file: string) => {
    const found = runs.find((each) => each.file === file);
    if (!found) throw new Error(`${file} did not run`);
    return found.outputs as Record<string, Float32Array>;
  };
  // WGSL promises less of exponentials and sines than a CPU keeps.
  const limit = choice === 'cpu' ? 1e-3 : 1e-2;

  test.each(conceptCases)(
    '$name: logits, masks and scores are those of transformers',
    async (one) => {
      const { masks } = await run(task([one]));
      const { pred_logits, presence_logits, pred_masks } = outputs('concept-decoder.onnx');
      expect(relativeError(pred_logits, one.pred_logits)).toBeLessThan(limit);
      expect(relativeError(presence_logits, one.presence_logits)).toBeLessThan(limit);
      const kept = one.kept.flatMap((query) => [
        ...pred_masks.subarray(query * SIDE ** 2, (query + 1) * SIDE ** 2),
      ]);
      expect(relativeError(kept, await array(one.kept_masks))).toBeLessThan(limit);
      expectMasks(masks, expectedOf(one));
    },
  );

  test.each(clickCases)('$name: logits, mask and score are those of transformers', async (one) => {
    const { masks } = await run(task([one]));
    const { best_mask } = outputs('click-decoder.onnx');
    expect(relativeError(best_mask, await array(one.best_mask))).toBeLessThan(limit);
    expectMasks(masks, [{ score: one.best_iou, rle: one.rle }]);
  });

  test('all prompts in one task give the same, in their order and in few runs', async () => {
    const [click, clicks, box, boxClick] = clickCases;
    const mixed = [conceptCases[2], click, conceptCases[0], box, boxClick, conceptCases[1], clicks];
    const { masks } = await run(task(mixed, { threshold: 0 }));
    mixed.forEach((one, number) => {
      const of = masks.filter(({ prompt }) => prompt === number);
      const scores = of.map(({ score }) => score);
      expect(scores).toEqual(scores.toSorted((a, b) => b - a));
      const expected =
        one.kind === 'concept' ? expectedOf(one) : [{ score: one.best_iou, rle: one.rle }];
      // Below the case's own threshold are the queries that transformers left out.
      expect(of).toHaveLength(one.kind === 'concept' ? one.pred_logits.length : 1);
      expectMasks(of.slice(0, expected.length), expected);
    });
    expect(masks.map(({ prompt }) => prompt)).toEqual(
      masks.map(({ prompt }) => prompt).toSorted((a, b) => a - b),
    );
    const count = (file: string) => runs.filter((each) => each.file === file).length;
    expect(count('concept-decoder.onnx')).toBe(1);
    // One point; two corners; three clicks and a click with a box.
    expect(count('click-decoder.onnx')).toBe(3);
  });

  test('a cached image gives the same, without its pixels or its encoder', async () => {
    const fresh = await run(task([clickCases[0]], { imageKey: 'cached' }));
    expect(fresh.cacheHit).toBe(false);
    const again = await run(
      task([clickCases[0]], { imageKey: 'cached', pixels: new Uint8Array(0) }),
    );
    expect(again.cacheHit).toBe(true);
    expect(again.masks).toEqual(fresh.masks);
    expect(runs.map(({ file }) => file)).not.toContain('vision-encoder.onnx');
  });

  test('what keeps coming, captured on WebGPU, still gives that of transformers', async () => {
    const [click] = clickCases;
    // One threshold goes for both.
    const concept = conceptCases.find(({ threshold }) => threshold < click.best_iou);
    if (!concept) throw new Error('no concept case has a threshold below the score of the click');
    // A software rasteriser takes minutes to compile the concept decoder for one shape.
    const both = backend.info.software ? [click] : [click, concept];
    const { threshold } = backend.info.software ? { threshold: 0 } : concept;
    const expected = [
      { score: click.best_iou, rle: click.rle },
      ...(backend.info.software ? [] : expectedOf(concept)),
    ];
    for (let round = 0; round < 3; round++) {
      const one = task(both, { imageKey: `round ${round}`, threshold });
      expectMasks((await run(one)).masks, expected);
    }
    const other = pixels().map((value) => 255 - value);
    const inverted = await run(task([click], { imageKey: 'inverted', pixels: other }));
    expect(iou(inverted.masks[0], click.rle)).toBeLessThan(0.9);
    // A captured encoder's outputs are overwritten by its next run: what is cached are copies.
    const kept = { imageKey: 'round 2', pixels: new Uint8Array(0), threshold };
    expectMasks((await run(task(both, kept))).masks, expected);
  });

  test('control: another picture and another prompt are told apart', async () => {
    const [one] = conceptCases;
    const other = pixels().map((value) => 255 - value);
    await run(task([one], { imageKey: 'other', pixels: other }));
    const changed = outputs('concept-decoder.onnx').pred_logits;
    expect(relativeError(changed, one.pred_logits)).toBeGreaterThan(0.01);
    await run(task([conceptCases[1]], { imageKey: 'cached' }));
    const asked = outputs('concept-decoder.onnx').pred_logits;
    expect(relativeError(asked, one.pred_logits)).toBeGreaterThan(0.01);
    const click = await run(task([clickCases[0]], { imageKey: 'cached' }));
    expect(iou(click.masks[0], clickCases[1].rle)).toBeLessThan(0.9);
  });
});

test('on the CPU the strings are those of pycocotools, letter by letter', async () => {
  const engine = segmentEngine(openCpuBackend(), settings);
  for (const one of [...conceptCases, ...clickCases]) {
    const { masks } = outputOf((await runSegment(engine, [task([one])]))[0]);
    const expected = one.kind === 'concept' ? expectedOf(one) : [one];
    expect(masks.map(({ counts }) => countsToString(counts))).toEqual(
      expected.map(({ rle }) => rle),
    );
  }
});
