import type { Backend } from '../compute/backend.ts';
import { withTensors } from '../compute/scope.ts';
import { elementCount, type Tensor } from '../compute/tensor.ts';
import type { ModelSource } from '../models/open_models.ts';
import type { Lease } from './feature_cache.ts';
import { axisLimit, uploadFeeds } from './feeds.ts';
import { chunks, type HeadEngine } from './run.ts';
import type { StageTimes } from './stage_times.ts';
import type { ConceptPrompt } from './types.ts';

/** Texts in one run of the text encoder, at most. */
const MAX_TEXTS = 16;

const FEATURES = 'text_features';

type Text = Pick<ConceptPrompt, 'inputIds' | 'attentionMask'>;

/**
 * The features of each text, float32 [1, tokens, C] on the device: each text is encoded once,
 * several together, unless the cache has it.
 *
 * @param leases gets what the caller has to give back, also where this throws
 */
export async function encodeTexts(
  engine: HeadEngine,
  source: ModelSource,
  texts: readonly Text[],
  times: StageTimes,
  leases: Lease[],
): Promise<Tensor[]> {
  const different = new Map(texts.map((text) => [keyOf(source, text), text]));
  const held = new Map<string, Lease>();
  const hold = (key: string, lease: Lease) => {
    leases.push(lease);
    held.set(key, lease);
  };
  for (const key of different.keys()) {
    const known = engine.texts.get(key);
    if (known) hold(key, known);
  }
  const missing = [...different].filter(([key]) => !held.has(key));
  if (missing.length > 0) {
    const model = await times.measure('load', () => engine.models.get(source));
    for (const some of chunks(missing, Math.min(MAX_TEXTS, axisLimit(model, 'input_ids', 0)))) {
      const features = await times.measure('text', () =>
        encodeTogether(
          engine,
          source,
          some.map(([, text]) => text),
        ),
      );
      some.forEach(([key], i) => {
        hold(key, engine.texts.add(key, { [FEATURES]: features[i] }));
      });
    }
  }
  return texts.map((text) => (held.get(keyOf(source, text)) as Lease).tensors[FEATURES]);
}

function keyOf(source: ModelSource, { inputIds, attentionMask }: Text): string {
  return `${source.file} ${source.version} ${inputIds.join()} ${attentionMask.join()}`;
}

async function encodeTogether(
  { backend, models }: HeadEngine,
  source: ModelSource,
  texts: readonly Text[],
): Promise<Tensor[]> {
  const model = await models.get(source);
  return withTensors(backend, async (keep) => {
    const dims = [texts.length, texts[0].inputIds.length];
    const arrays = {
      input_ids: { values: texts.flatMap(({ inputIds }) => inputIds), dims },
      attention_mask: { values: texts.flatMap(({ attentionMask }) => attentionMask), dims },
    };
    const results = await model.run(uploadFeeds(backend, model, arrays, keep), [FEATURES]);
    return split(backend, keep(results[FEATURES]));
  });
}

/** [N, tokens, C] → N × [1, tokens, C], each with memory of its own. */
function split(backend: Backend, all: Tensor): Tensor[] {
  const [count, ...rest] = all.dims;
  const each = elementCount(rest);
  const parts: Tensor[] = [];
  try {
    for (let i = 0; i < count; i++) {
      parts.push(backend.empty(all.dtype, [1, ...rest]));
      backend.copy(all, parts[i], { from: i * each, count: each });
    }
    return parts;
  } catch (error) {
    backend.release(...parts);
    throw error;
  }
}
