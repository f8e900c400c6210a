import type { Backend } from '../../compute/backend.ts';
import { withTensors } from '../../compute/scope.ts';
import type { Tensor } from '../../compute/tensor.ts';
import type { OpenModels } from '../../models/open_models.ts';
import { answerMasks, type TrackedObject } from './answer.ts';
import { type EncodedFrame, findPrompted, findTracked, remember } from './find_objects.ts';
import { FrameEncoder, type VideoFrame } from './frame_features.ts';
import type { TrackerEngine } from './graphs.ts';
import { type GivenMask, startFromMask } from './mask_prompt.ts';
import type { FrameMemory } from './memory_bank.ts';
import type { TrackerModel } from './model.ts';
import { groupObjects } from './object_groups.ts';
import { continuePass, type Pass, readablePositions } from './passes.ts';
import type { Direction, RecallOptions } from './recall.ts';
import { newObject, type ObjectState, type PointPrompt, promptPoints } from './tracked_object.ts';

export interface TrackerOptions {
  /** Of the clip; null where it is not known. */
  readonly frames: number | null;
  /** SAM 3's memory selection: pass over frames on which an object was not seen well; default true, never with EdgeTAM. */
  readonly selectMemory?: boolean;
}

/** Marks an object, by points and a box, or by its mask. */
export type ObjectPrompt = PointPrompt | { readonly mask: GivenMask };

/**
 * Follows objects through one clip, as SAM 2 and SAM 3 do: each object has a memory of the frames it
 * was prompted on and of those it was found on lately, and a frame is encoded once for all of them.
 *
 * One call at a time. A call that throws may be repeated.
 */
export class Tracker {
  private readonly engine: TrackerEngine;
  private readonly encoder: FrameEncoder;
  private readonly recallOptions: RecallOptions;
  private readonly objects = new Map<number, ObjectState>();
  private nextId = 1;
  private pass: Pass | null = null;

  constructor(
    backend: Backend,
    models: OpenModels,
    model: TrackerModel,
    private readonly options: TrackerOptions,
  ) {
    this.engine = { backend, models, model };
    this.encoder = new FrameEncoder(backend, models, model);
    const selective = !model.edgetam && (options.selectMemory ?? true);
    this.recallOptions = { ...model.limits, selective };
  }

  /** Ids of the objects, rising. */
  get ids(): number[] {
    return [...this.objects.keys()];
  }

  /** Bytes on the device that this clip's objects and frames hold. */
  get bytes(): number {
    const banks = [...this.objects.values()].map(({ bank }) => bank.bytes);
    return banks.reduce((sum, bytes) => sum + bytes, this.encoder.bytes);
  }

  /**
   * Starts an object on a frame, or corrects one; the frame becomes one of its conditioning frames.
   * Points add to earlier ones on the same frame, a box replaces them.
   *
   * @param id of the object to correct; a new one is started without it.
   * @throws {RangeError} for an unknown object, a frame outside the clip, and an empty prompt.
   */
  async addPrompt(
    index: number,
    frame: VideoFrame,
    prompt: ObjectPrompt,
    id?: number,
  ): Promise<TrackedObject> {
    this.checkFrame(index);
    const { backend, model } = this.engine;
    const object =
      id === undefined ? newObject(this.nextId, backend, this.recallOptions) : this.known(id);
    const { bank } = object;
    const earlier = bank.prompted(index)?.points ?? [];
    const points = 'mask' in prompt ? [] : promptPoints(prompt, earlier, model.imageSize);
    return withTensors(backend, async (keep) => {
      const encoded = await this.encode(index, frame);
      const decoded =
        'mask' in prompt
          ? await startFromMask(this.engine, encoded.features, prompt.mask, keep)
          : await findPrompted(this.engine, encoded, object, points, keep);
      bank.addPrompted(remember(index, bank.get(index)?.direction ?? 1, decoded, points));
      if (id === undefined) this.objects.set(this.nextId++, object);
      return this.recite(object, bank.prompted(index) as FrameMemory, frame);
    });
  }

  /**
   * Remembers the mask of an object on a frame that was not prompted as one to track it by, until the
   * object is prompted again or newer ones take its place. A prompted frame stays as it is.
   *
   * @throws {RangeError} for an unknown object, a frame outside the clip, and an empty mask.
   */
  async confirm(index: number, frame: VideoFrame, mask: GivenMask, id: number): Promise<void> {
    this.checkFrame(index);
    const { bank } = this.known(id);
    if (bank.prompted(index)) return;
    await withTensors(this.engine.backend, async (keep) => {
      const { features } = await this.encode(index, frame);
      const decoded = await startFromMask(this.engine, features, mask, keep);
      bank.addConfirmed(remember(index, bank.get(index)?.direction ?? 1, decoded, []));
    });
  }

  /** Finds all objects on a frame, in the order of {@link ids}; prompted ones are as prompted. */
  async step(index: number, frame: VideoFrame, direction: Direction): Promise<TrackedObject[]> {
    this.checkFrame(index);
    const objects = [...this.objects.values()];
    const found: TrackedObject[] = [];
    for (const object of objects) {
      const memory = object.bank.prompted(index);
      if (memory) found.push(await this.recite(object, memory, frame));
    }
    const sought = objects.filter(({ bank }) => !bank.prompted(index));
    if (sought.length > 0) {
      const encoded = await this.encode(index, frame);
      const groups = groupObjects(sought, encoded.features, this.engine.model);
      for (const group of groups) {
        found.push(...(await findTracked(this.engine, encoded, group, direction)));
      }
    }
    this.pass = continuePass(this.pass, index, direction);
    for (const { bank } of objects) bank.trim(readablePositions(this.pass));
    return found.sort((a, b) => a.id - b.id);
  }

  /**
   * Encodes a frame once for this tracker and for who reads other outputs of the vision encoder: they
   * are lent to `use`.
   *
   * @throws {RangeError} for a frame outside the clip.
   */
  lendFeatures<T>(
    index: number,
    frame: VideoFrame,
    names: readonly string[],
    use: (features: Readonly<Record<string, Tensor>>) => Promise<T>,
  ): Promise<T> {
    this.checkFrame(index);
    return this.encoder.lend(index, frame, names, use);
  }

  /**
   * The mask of an object as it was decoded, float32 [m, m]; null where it is no longer remembered.
   * Where the object is absent it says nothing.
   */
  async logits(id: number, index: number): Promise<Float32Array | null> {
    const logits = this.known(id).bank.get(index)?.logits;
    return logits ? this.engine.backend.download(logits) : null;
  }

  /** @returns whether there was such an object. */
  removeObject(id: number): boolean {
    this.objects.get(id)?.bank.clear();
    return this.objects.delete(id);
  }

  /** Forgets all objects; their ids do not come again. */
  reset(): void {
    for (const id of this.ids) this.removeObject(id);
    this.pass = null;
  }

  /** Gives everything on the device back. */
  dispose(): void {
    this.reset();
    this.encoder.clear();
  }

  private async encode(index: number, frame: VideoFrame): Promise<EncodedFrame> {
    const features = await this.encoder.get(index, frame);
    return { index, features, frames: this.options.frames, size: frame.size };
  }

  /** What is remembered of an object on a prompted frame, once more. */
  private async recite(
    { id }: ObjectState,
    { logits, objectScore, iou }: FrameMemory,
    { size }: VideoFrame,
  ): Promise<TrackedObject> {
    if (!logits) throw new Error(`the mask of object ${id} on a prompted frame was released`);
    const [answer] = await answerMasks(this.engine, logits, [{ id, objectScore, iou }], size);
    return answer;
  }

  private known(id: number): ObjectState {
    const object = this.objects.get(id);
    if (object) return object;
    throw new RangeError(`no object ${id}; there are ${this.ids.join(', ') || 'none'}`);
  }

  private checkFrame(index: number): void {
    const { frames } = this.options;
    if (Number.isInteger(index) && index >= 0 && (frames === null || index < frames)) return;
    const last = frames === null ? 'on' : `to ${frames - 1}`;
    throw new RangeError(`frame ${index}; expected a whole number from 0 ${last}`);
  }
}
