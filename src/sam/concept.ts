import type { Model } from '../compute/backend.ts';
import { withTensors } from '../compute/scope.ts';
import { elementCount, type Tensor } from '../compute/tensor.ts';
import type { ModelSource } from '../models/open_models.ts';
import type { ConceptAdapter } from './adapters/contract.ts';
import { encodeTexts } from './encode_text.ts';
import type { Lease } from './feature_cache.ts';
import { axisLimit, bytesEach, type HostArray, shapesOf, uploadFeeds } from './feeds.ts';
import { encodeMasks } from './mask_rle.ts';
import { chunks, type Numbered, pick, type SegmentRun } from './run.ts';
import { keptQueries } from './scores.ts';
import { MAX_MASKS, TooManyMasksError } from './too_many_masks.ts';
import type { ConceptPrompt, CornerBox, SegmentedMask } from './types.ts';

/** What the masks of one run may hold; the decoder's own activations are a few times as much. */
const MAX_MASK_BYTES = 256 << 20;

/** Prompts in one run, at most. */
const MAX_PROMPTS = 16;

/** Label of a box that is not there; its coordinates are not read. */
const NO_BOX = -10;

const OUTPUTS = ['pred_masks', 'pred_logits', 'presence_logits'] as const;

interface Concept extends Numbered<ConceptPrompt> {
  /** float32 [1, tokens, C] */
  readonly text: Tensor;
}

/**
 * All instances of each concept: several concepts a run where the graph's prompts are free.
 *
 * @throws TooManyMasksError where more pass the threshold than are given at a time
 */
export async function segmentConcepts(
  run: SegmentRun,
  adapter: ConceptAdapter,
  graphs: { readonly text: ModelSource; readonly decoder: ModelSource },
  prompts: readonly Numbered<ConceptPrompt>[],
): Promise<SegmentedMask[]> {
  const leases: Lease[] = [];
  try {
    const wanted = prompts.map(({ prompt }) => prompt);
    const texts = await encodeTexts(run, graphs.text, wanted, run.times, leases);
    const decoder = await run.times.measure('load', () => run.models.get(graphs.decoder));
    const concepts = prompts.map((one, i) => ({ ...one, text: texts[i] }));
    const masks: SegmentedMask[] = [];
    for (const some of chunks(concepts, promptsPerRun(decoder, adapter))) {
      const room = MAX_MASKS - masks.length;
      masks.push(...(await decode(run, adapter, graphs.decoder, decoder, some, room)));
      run.progress();
    }
    return masks;
  } finally {
    for (const lease of leases) lease.release();
  }
}

function promptsPerRun(decoder: Model, { sharesImage }: ConceptAdapter): number {
  if (!sharesImage) return 1;
  const byMemory = Math.floor(MAX_MASK_BYTES / bytesEach(decoder, 'pred_masks'));
  const byGraph = axisLimit(decoder, 'text_features', 0);
  return Math.max(1, Math.min(MAX_PROMPTS, byMemory, byGraph));
}

function decode(
  run: SegmentRun,
  adapter: ConceptAdapter,
  source: ModelSource,
  decoder: Model,
  concepts: readonly Concept[],
  room: number,
): Promise<SegmentedMask[]> {
  const { backend, models, task, times } = run;
  return withTensors(backend, async (keep) => {
    const feeds: Record<string, Tensor> = {
      ...pick(run.features, adapter.features),
      ...uploadFeeds(backend, decoder, promptArrays(concepts), keep),
      text_features: concepts.length === 1 ? concepts[0].text : keep(joined(run, concepts)),
    };
    const model = await times.measure('load', () => models.getForShapes(source, shapesOf(feeds)));
    const { masks, kept } = await times.measure('decode', async () => {
      const results = await model.run(feeds, OUTPUTS);
      for (const name of OUTPUTS) keep(results[name]);
      const [logits, presence] = await Promise.all([
        backend.download(results.pred_logits as Tensor<'float32'>),
        backend.download(results.presence_logits as Tensor<'float32'>),
      ]);
      const queries = logits.length / concepts.length;
      return {
        masks: results.pred_masks as Tensor<'float32'>,
        kept: concepts.flatMap(({ number }, i) =>
          keptQueries(
            logits.subarray(i * queries, (i + 1) * queries),
            presence[i],
            task.threshold,
          ).map(({ map, score }) => ({ prompt: number, score, map: i * queries + map })),
        ),
      };
    });
    if (kept.length > room) throw new TooManyMasksError(task.threshold);
    const selected = kept.map(({ map }) => map);
    const encoded = await times.measure('masks', () =>
      encodeMasks(backend, masks, task.size, { selected }),
    );
    return encoded.map((mask, i) => ({ prompt: kept[i].prompt, score: kept[i].score, ...mask }));
  });
}

/** The texts' features side by side: [N, tokens, C]. */
function joined({ backend }: SegmentRun, concepts: readonly Concept[]): Tensor {
  const [, ...rest] = concepts[0].text.dims;
  const each = elementCount(rest);
  const all = backend.empty('float32', [concepts.length, ...rest]);
  concepts.forEach(({ text }, i) => {
    backend.copy(text, all, { to: i * each });
  });
  return all;
}

/** Masks of the texts' tokens, and exemplars: at least one box a prompt, padded to equal numbers. */
function promptArrays(concepts: readonly Concept[]): Record<string, HostArray> {
  const prompts = concepts.map(({ prompt }) => prompt);
  const boxes = Math.max(1, ...prompts.map(({ exemplars }) => exemplars.length));
  const padding = { box: [0, 0, 0, 0], label: NO_BOX };
  const rows = prompts.flatMap(({ exemplars }) =>
    Array.from({ length: boxes }, (_, i) => {
      const given = exemplars[i];
      return given ? { box: centred(given.box), label: Number(given.positive) } : padding;
    }),
  );
  return {
    text_mask: {
      values: prompts.flatMap(({ attentionMask }) => attentionMask),
      dims: [prompts.length, prompts[0].attentionMask.length],
    },
    input_boxes: { values: rows.flatMap(({ box }) => box), dims: [prompts.length, boxes, 4] },
    input_boxes_labels: { values: rows.map(({ label }) => label), dims: [prompts.length, boxes] },
  };
}

/** [x0, y0, x1, y1] → [cx, cy, width, height]. */
function centred([x0, y0, x1, y1]: CornerBox): number[] {
  return [(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0];
}
