import type { Backend } from '../compute/backend.ts';
import {
  type EngineContext,
  type EngineModule,
  engineModule,
  type TaskOutcome,
} from '../engine/task.ts';
import type { EngineSettings } from '../engine_settings.ts';
import { OpenModels } from '../models/open_models.ts';
import { adapterOf } from '../sam/adapters/adapter.ts';
import { segmentClicks } from '../sam/click.ts';
import { segmentConcepts } from '../sam/concept.ts';
import { encodeImage } from '../sam/encode_image.ts';
import { FeatureCache } from '../sam/feature_cache.ts';
import type { Numbered, SegmentEngine, SegmentRun } from '../sam/run.ts';
import { StageTimes } from '../sam/stage_times.ts';
import type { SegmentedMask, SegmentPrompt } from '../sam/types.ts';
import { type SegmentOutput, type SegmentTask, segmentTask } from './task.ts';

/** Texts that were used lately; 32 KiB each in SAM 3's size. */
const MAX_TEXT_BYTES = 8 << 20;

/** Segmentation in the engine thread: pixels → features → masks as runs. */
export function segmentModule(
  { backend, settings, changed, progress }: EngineContext,
  models = new OpenModels(backend),
): EngineModule {
  const engine = segmentEngine(backend, settings, { models, changed, progress });
  return engineModule(
    segmentTask,
    (tasks) => runSegment(engine, tasks),
    () => engine.models.names(),
    () => cacheFigures(engine),
  );
}

/** What it does not own. */
interface Lent {
  readonly models: OpenModels;
  changed(): void;
  progress(): void;
}

/** What segmentation keeps between tasks on one backend. */
export function segmentEngine(
  backend: Backend,
  { featureCache }: EngineSettings,
  { models = new OpenModels(backend), changed, progress = () => {} }: Partial<Lent> = {},
): SegmentEngine {
  const { ttlMs } = featureCache;
  return {
    backend,
    models,
    images: new FeatureCache(backend, { ...featureCache, onExpired: changed }),
    texts: new FeatureCache(backend, { maxBytes: MAX_TEXT_BYTES, ttlMs }),
    progress,
  };
}

/** Names as `EngineStatus.figures` has them. */
function cacheFigures({ images }: SegmentEngine): Record<string, number> {
  return {
    featureCacheBytes: images.bytes,
    featureCacheEntries: images.size,
    featureCacheHits: images.hits,
    featureCacheMisses: images.misses,
  };
}

/** Each task by itself; what they share is the features of their images. */
export async function runSegment(
  engine: SegmentEngine,
  tasks: readonly SegmentTask[],
): Promise<TaskOutcome<SegmentOutput>[]> {
  const outcomes: TaskOutcome<SegmentOutput>[] = [];
  for (const task of tasks) {
    const times = new StageTimes();
    try {
      outcomes.push({ output: await segment(engine, task, times), timings: times.timings() });
    } catch (error) {
      outcomes.push({ error });
    }
  }
  return outcomes;
}

async function segment(
  engine: SegmentEngine,
  task: SegmentTask,
  times: StageTimes,
): Promise<SegmentOutput> {
  const { lease, hit } = await encodeImage(engine, task, times);
  try {
    const run = { ...engine, task, times, features: lease.tensors };
    const masks = [...(await concepts(run)), ...(await clicks(run))];
    // Stable: within a prompt the best score stays first.
    masks.sort((a, b) => a.prompt - b.prompt);
    return { masks, cacheHit: hit };
  } finally {
    lease.release();
  }
}

interface TaskRun extends SegmentRun {
  readonly task: SegmentTask;
}

async function concepts(run: TaskRun): Promise<SegmentedMask[]> {
  const { model, prompts } = run.task;
  const asked = numbered(prompts, (prompt) => prompt.type === 'concept');
  if (asked.length === 0) return [];
  const adapter = adapterOf(model).concept;
  if (model.concept && adapter) return segmentConcepts(run, adapter, model.concept, asked);
  throw new Error(`${model.name} has no concept head: it takes clicks and boxes, not texts`);
}

async function clicks(run: TaskRun): Promise<SegmentedMask[]> {
  const { model, prompts } = run.task;
  const asked = numbered(prompts, (prompt) => prompt.type === 'click');
  if (asked.length === 0) return [];
  const adapter = adapterOf(model).click;
  if (model.click && adapter) return segmentClicks(run, adapter, model.click.decoder, asked);
  throw new Error(`${model.name} has no click head: it takes texts and exemplar boxes, not clicks`);
}

/** The prompts of one type with their places among all. */
function numbered<P extends SegmentPrompt>(
  prompts: readonly SegmentPrompt[],
  belongs: (prompt: SegmentPrompt) => prompt is P,
): Numbered<P>[] {
  return prompts.flatMap((prompt, number) => (belongs(prompt) ? [{ number, prompt }] : []));
}
