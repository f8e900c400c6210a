import type { Model } from '../compute/backend.ts';
import { withTensors } from '../compute/scope.ts';
import type { Tensor } from '../compute/tensor.ts';
import type { ModelSource } from '../models/open_models.ts';
import type { ClickAdapter, ObjectPrompt } from './adapters/contract.ts';
import { axisLimit, bytesEach, shapesOf, uploadFeeds } from './feeds.ts';
import { encodeMasks } from './mask_rle.ts';
import { chunks, type Numbered, pick, type SegmentRun } from './run.ts';
import { keptCandidate } from './scores.ts';
import type { ClickPrompt, SegmentedMask } from './types.ts';

/** What the masks of one run may hold. */
const MAX_MASK_BYTES = 64 << 20;

/** Objects in one run, at most. */
const MAX_OBJECTS = 32;

/** Labels of a box's top left and bottom right corner. */
const CORNERS = [2, 3] as const;

/**
 * The mask of each object, none where the model finds nothing there. Objects with equally many
 * points share a run: padding them to equal numbers is not the same to every published graph.
 */
export async function segmentClicks(
  run: SegmentRun,
  adapter: ClickAdapter,
  source: ModelSource,
  prompts: readonly Numbered<ClickPrompt>[],
): Promise<SegmentedMask[]> {
  const decoder = await run.times.measure('load', () => run.models.get(source));
  const objects = prompts.map(({ number, prompt }) => ({
    number,
    prompt: objectPrompt(prompt, run.task.model.imageSize),
  }));
  const most = objectsPerRun(decoder, adapter);
  const masks: SegmentedMask[] = [];
  for (const alike of Map.groupBy(objects, ({ prompt }) => prompt.labels.length).values()) {
    for (const some of chunks(alike, most)) {
      masks.push(...(await decode(run, adapter, source, decoder, some)));
    }
  }
  return masks;
}

/** In model pixels, each axis by its own factor, because the picture was stretched. */
function objectPrompt({ points, labels, box }: ClickPrompt, side: number): ObjectPrompt {
  const corners = box ? ([box.slice(0, 2), box.slice(2)] as [number, number][]) : [];
  return {
    points: [...points, ...corners].map(([x, y]) => [x * side, y * side] as const),
    labels: [...labels, ...(box ? CORNERS : [])],
    ambiguous: points.length === 1 && box === null,
  };
}

function objectsPerRun(decoder: Model, { masks }: ClickAdapter): number {
  const byMemory = Math.floor(MAX_MASK_BYTES / bytesEach(decoder, masks));
  const byGraph = axisLimit(decoder, 'input_points', 1);
  return Math.max(1, Math.min(MAX_OBJECTS, byMemory, byGraph));
}

function decode(
  run: SegmentRun,
  adapter: ClickAdapter,
  source: ModelSource,
  decoder: Model,
  objects: readonly Numbered<ObjectPrompt>[],
): Promise<SegmentedMask[]> {
  const { backend, models, task, times } = run;
  return withTensors(backend, async (keep) => {
    const maskSide = axisLimit(decoder, 'input_masks', 2);
    const arrays = adapter.inputs(
      objects.map(({ prompt }) => prompt),
      Number.isFinite(maskSide) ? maskSide : 1,
    );
    const feeds = {
      ...pick(run.features, adapter.features),
      ...uploadFeeds(backend, decoder, arrays, keep),
    };
    const model = await times.measure('load', () => models.getForShapes(source, shapesOf(feeds)));
    const { masks, kept } = await times.measure('decode', async () => {
      const names = [adapter.scores, adapter.masks, 'object_score_logits'];
      const results = await model.run(feeds, names);
      for (const name of names) keep(results[name]);
      const [ious, present] = await Promise.all([
        backend.download(results[adapter.scores] as Tensor<'float32'>),
        backend.download(results.object_score_logits as Tensor<'float32'>),
      ]);
      const each = ious.length / objects.length;
      return {
        masks: results[adapter.masks] as Tensor<'float32'>,
        kept: objects.flatMap(({ number }, i) => {
          const candidates = ious.subarray(i * each, (i + 1) * each);
          const best = keptCandidate(candidates, present[i], task.threshold);
          return best ? [{ prompt: number, score: best.score, map: i * each + best.map }] : [];
        }),
      };
    });
    const selected = kept.map(({ map }) => map);
    const encoded = await times.measure('masks', () =>
      encodeMasks(backend, masks, task.size, { selected }),
    );
    return encoded.map((mask, i) => ({ prompt: kept[i].prompt, score: kept[i].score, ...mask }));
  });
}
