/** The adapters of the published contracts, held against transformers as our own export is. */
import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { devices, isShortened } from '../../test/devices.ts';
import { outputOf } from '../../test/outcomes.ts';
import { withTensors } from '../compute/scope.ts';
import { conceptCases, iou, recording, task } from './parity_fixture.ts';
import { runSegment, segmentEngine } from './pipeline.ts';
import { tinyTracker, trackerCases, trackerPrompt } from './tracker_fixture.ts';
import { uslsModel } from './usls_fixture.ts';

setDefaultTimeout(400_000);

const settings = { featureCache: { maxBytes: 64 << 20, ttlMs: 0 } };
const usls = await uslsModel();

function worst(actual: ArrayLike<number>, expected: readonly number[]): number {
  const scale = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, i) => Math.abs(actual[i] - value))) / scale;
}

describe.each(devices)('on %s', (_, backend) => {
  const { backend: watched, runs } = recording(backend);
  const engine = segmentEngine(watched, settings);
  const run = async (one: Parameters<typeof runSegment>[1][number]) => {
    runs.length = 0;
    return outputOf((await runSegment(engine, [one]))[0]);
  };

  // The rewritten graphs take a software rasteriser minutes: their WGSL is that of the originals.
  const shortened = isShortened(backend);
  if (shortened) console.warn('SKIPPED usls on software: too slow there');
  test.skipIf(shortened)('usls: masks and scores are those of transformers', async () => {
    for (const one of conceptCases) {
      const { masks } = await run(task([one], { model: usls }));
      const expected = one.scores
        .map((score, i) => ({ score, rle: one.rle_logits[i] }))
        .sort((a, b) => b.score - a.score);
      expect(masks).toHaveLength(expected.length);
      masks.forEach((mask, i) => {
        expect(mask.score).toBeCloseTo(expected[i].score, 3);
        expect(iou(mask, expected[i].rle)).toBeGreaterThanOrEqual(0.999);
      });
    }
  });

  test.skipIf(shortened)('usls: several prompts have a run each', async () => {
    const { masks } = await run(task(conceptCases, { model: usls, threshold: 0 }));
    const decoded = runs.filter(({ file }) => file === 'concept-decoder.onnx');
    expect(decoded).toHaveLength(3);
    expect(masks).toHaveLength(3 * conceptCases[0].pred_logits.length);
    for (const { shapes } of decoded) expect(shapes.text_mask).toEqual([1, 32]);
  });

  test('transformers-tracker: mask and score are those of transformers', async () => {
    const prompts = trackerCases.map(trackerPrompt);
    const { masks } = await run(task([], { model: tinyTracker, prompts }));
    expect(masks.map(({ prompt }) => prompt)).toEqual([0, 1, 2]);
    trackerCases.forEach((one, i) => {
      const best = Math.max(...one.iou_scores);
      expect(masks[i].score).toBeCloseTo(best, 3);
      expect(iou(masks[i], one.rle)).toBeGreaterThanOrEqual(0.999);
      const decoded = runs.filter(({ file }) => file.startsWith('prompt_encoder'))[i];
      const map = one.iou_scores.indexOf(best);
      const pixels = one.best_mask.length;
      const logits = decoded.outputs.pred_masks as Float32Array;
      expect(worst(logits.subarray(map * pixels, (map + 1) * pixels), one.best_mask)).toBeLessThan(
        1e-3,
      );
    });
  });

  test('control: another prompt is told apart, and so is one that is not closed', async () => {
    const [click] = trackerCases.map(trackerPrompt);
    const one = task([], { model: tinyTracker, prompts: [click] });
    const { masks } = await run(one);
    expect(iou(masks[0], trackerCases[1].rle)).toBeLessThan(0.95);
    const { encoder, imageSize } = tinyTracker;
    const key = `${tinyTracker.name} ${encoder.file} ${encoder.version} ${one.imageKey}`;
    const lease = engine.images.get(key);
    if (!lease || !tinyTracker.click) throw new Error('the image is not in the cache');
    const decoder = await engine.models.get(tinyTracker.click.decoder);
    const open = await withTensors(backend, async (keep) => {
      const at = Float32Array.from(click.points[0], (value) => value * imageSize);
      const feeds = {
        ...lease.tensors,
        input_points: keep(backend.upload(at, [1, 1, 1, 2])),
        input_labels: keep(backend.upload(BigInt64Array.of(1n), [1, 1, 1])),
        input_boxes: keep(backend.upload(new Float32Array(0), [1, 0, 4])),
      };
      const { iou_scores } = await decoder.run(feeds, ['iou_scores']);
      return (await backend.download(keep(iou_scores))) as Float32Array;
    });
    lease.release();
    expect(worst(open, trackerCases[0].iou_scores)).toBeGreaterThan(0.01);
  });

  test('a prompt that no head of the model answers says so', async () => {
    const concept = task(conceptCases.slice(0, 1), { model: tinyTracker });
    expect(run(concept)).rejects.toThrow('no concept head');
    const click = task([], { model: usls, prompts: [trackerPrompt(trackerCases[0])] });
    if (!backend.info.software) expect(run(click)).rejects.toThrow('no click head');
  });
});
