import type { SegmentModel } from '../models/segment_contracts.ts';
import type { HeadEngine } from '../sam/run.ts';
import type { ConceptPrompt, SegmentedMask, SegmentPrompt } from '../sam/types.ts';
import { type Detector, detectConcepts, givenMask } from './detect.ts';
import type { FrameObject, FramePixels, VideoAction } from './task.ts';
import type { TrackedObject } from './track/answer.ts';
import { ASSOCIATION, type Detection, suppressDoubles } from './track/associate.ts';
import { joinDetections } from './track/join_detections.ts';
import { bitsFromCounts } from './track/mask_overlap.ts';
import { TextTracks } from './track/text_tracks.ts';
import { Tracker } from './track/tracker.ts';
import { trackerModel } from './tracker_model.ts';

type Prompting = Extract<VideoAction, { type: 'prompt' }>;
type Stepping = Extract<VideoAction, { type: 'step' }>;

/** Objects of one session, at most: each costs a run of the decoder a frame, and memory. */
const MAX_OBJECTS = 64;

/** More than a session takes; nothing of the request was done. */
class TooManyObjectsError extends Error {
  readonly status = 422;

  constructor(objects: number, more: number) {
    super(
      `prompts: ${more} more objects, the session has ${objects}; at most ${MAX_OBJECTS} are followed: remove some`,
    );
  }
}

/** The engine's half of a session: its objects, and the texts that some came from. */
export class EngineSession {
  private readonly tracker: Tracker;
  private readonly detector: Detector;
  /** In the order in which they were asked for first. */
  private concepts: ConceptPrompt[] = [];
  /** Which concept an object came from. */
  private readonly origins = new Map<number, number>();
  private readonly textTracks = new TextTracks();

  constructor(engine: HeadEngine, model: SegmentModel, frames: number) {
    this.tracker = new Tracker(engine.backend, engine.models, trackerModel(model), { frames });
    this.detector = { engine, model, tracker: this.tracker };
  }

  get ids(): number[] {
    return this.tracker.ids;
  }

  get bytes(): number {
    return this.tracker.bytes;
  }

  /** @throws TooManyObjectsError past what a session takes */
  async prompt({ frame, prompts, object, threshold }: Prompting): Promise<FrameObject[]> {
    const clicks = prompts.flatMap((prompt, i) => (prompt.type === 'click' ? [{ prompt, i }] : []));
    const instances = await this.instances(frame, prompts, threshold);
    if (object === null) this.requireRoom(clicks.length + instances.length);
    const found: FrameObject[] = [];
    for (const { prompt, i } of clicks) {
      const { index } = frame;
      found.push(shown(await this.tracker.addPrompt(index, frame, prompt, object ?? undefined), i));
    }
    for (const { mask, concept, prompt } of instances) {
      found.push(shown(await this.start(frame, mask, concept), prompt));
    }
    return found.sort((a, b) => a.id - b.id);
  }

  async step(stepping: Stepping): Promise<FrameObject[]> {
    const { frame, direction, isFirst, trackNew } = stepping;
    if (isFirst) this.textTracks.endTrials();
    const looks = trackNew && this.concepts.length > 0;
    // First, so that the frame is encoded once for both.
    const found = looks ? await this.detect(frame) : [];
    const tracked = await this.tracker.step(frame.index, frame, direction);
    const kept = looks ? await this.join(stepping, found, tracked) : tracked;
    return kept.map((object) => shown(object, null));
  }

  remove(object: number): void {
    this.tracker.removeObject(object);
    this.origins.delete(object);
    this.textTracks.forget(object);
  }

  reset(): void {
    this.textTracks.reset();
    this.tracker.reset();
    this.origins.clear();
    this.concepts = [];
  }

  dispose(): void {
    this.tracker.dispose();
  }

  /** What the texts among the prompts show, without doubles, in the order of the prompts. */
  private async instances(
    frame: FramePixels,
    prompts: readonly SegmentPrompt[],
    threshold: number,
  ): Promise<{ mask: SegmentedMask; concept: number; prompt: number }[]> {
    const asked = prompts.flatMap((prompt, i) =>
      prompt.type === 'concept' ? [{ prompt, i }] : [],
    );
    if (asked.length === 0) return [];
    const concepts = asked.map(({ prompt }) => prompt);
    const masks = await detectConcepts(this.detector, frame, concepts, threshold);
    const limits = { ...ASSOCIATION, leastScore: threshold };
    const numbers = concepts.map((concept) => this.remember(concept));
    return suppressDoubles(masks.map(detection), limits)
      .map((place) => masks[place])
      .map((mask) => ({ mask, concept: numbers[mask.prompt], prompt: asked[mask.prompt].i }))
      .sort((a, b) => a.prompt - b.prompt);
  }

  private detect(frame: FramePixels): Promise<SegmentedMask[]> {
    return detectConcepts(this.detector, frame, this.concepts, ASSOCIATION.leastScore);
  }

  /**
   * Starts objects of what none of the tracked ones shows, and sees after those that came from texts.
   *
   * @returns all objects of the frame
   */
  private async join(
    { frame, direction, settle }: Stepping,
    found: readonly SegmentedMask[],
    tracked: readonly TrackedObject[],
  ): Promise<TrackedObject[]> {
    const { tracker, origins, textTracks } = this;
    const { index } = frame;
    const room = MAX_OBJECTS - this.ids.length;
    const joined = await joinDetections(tracker, index, frame, found, tracked, origins, room);
    const { started, association } = joined;
    const verdict = textTracks.review({
      ...{ frame: index, direction, tracked, found, association },
      texts: origins,
    });
    // Only where nobody was told of them can new ones be taken back.
    if (settle) textTracks.born(started.map(({ id }) => id));
    for (const object of tracked) {
      if (verdict.sure.includes(object.id)) await this.recondition(frame, object);
    }
    for (const id of verdict.failed) this.remove(id);
    const fresh = started.map((object, i) => ({
      ...object,
      score: found[association.fresh[i]].score,
    }));
    return [...tracked, ...fresh]
      .filter(({ id }) => this.ids.includes(id))
      .map((object) => (verdict.hidden.includes(object.id) ? unseen(object, frame) : object));
  }

  /** What was tracked and the detector confirms is remembered as something to track it by. */
  private async recondition(frame: FramePixels, { id, counts }: TrackedObject): Promise<void> {
    await this.tracker.confirm(frame.index, frame, givenMask({ counts }, frame), id);
  }

  private async start(
    frame: FramePixels,
    mask: SegmentedMask,
    concept: number,
  ): Promise<TrackedObject> {
    const given = { mask: givenMask(mask, frame) };
    const object = await this.tracker.addPrompt(frame.index, frame, given);
    this.origins.set(object.id, concept);
    // The tracker knows a given mask as its own; what the text scored says more.
    return { ...object, score: mask.score };
  }

  /** The concept's number, a new one where it was not asked for before. */
  private remember(concept: ConceptPrompt): number {
    const same = (other: ConceptPrompt) => other.inputIds.join() === concept.inputIds.join();
    const known = this.concepts.findIndex(same);
    if (known >= 0) return known;
    // Exemplars are boxes on the frame that was prompted; on others they show something else.
    this.concepts.push({ ...concept, exemplars: [] });
    return this.concepts.length - 1;
  }

  private requireRoom(more: number): void {
    const { length } = this.ids;
    if (length + more > MAX_OBJECTS) throw new TooManyObjectsError(length, more);
  }
}

function detection({ score, counts, prompt }: SegmentedMask): Detection {
  return { score, prompt, mask: bitsFromCounts(counts) };
}

/** One that is behind another of its kind. */
function unseen(object: TrackedObject, { size: { width, height } }: FramePixels): TrackedObject {
  const box = { x: 0, y: 0, width: 0, height: 0 };
  const counts = Uint32Array.of(width * height);
  return { ...object, present: false, score: 0, counts, area: 0, box };
}

function shown({ id, score, present, counts, box }: TrackedObject, prompt: number | null) {
  return { id, prompt, score, present, counts, box };
}
