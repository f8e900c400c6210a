import { maskFromCounts } from '../../media/rle_pixels.ts';
import type { TrackedObject } from './answer.ts';
import { type Association, associate } from './associate.ts';
import type { VideoFrame } from './frame_features.ts';
import { bitsFromCounts } from './mask_overlap.ts';
import type { Tracker } from './tracker.ts';

/** An instance that a text found on a frame. */
export interface FoundInstance {
  /** Which text. */
  readonly prompt: number;
  /** In [0, 1]. */
  readonly score: number;
  /** COCO's runs at the frame's size. */
  readonly counts: Uint32Array;
}

export interface JoinedInstances {
  /** The objects that were started, in the order of their ids. */
  readonly started: readonly TrackedObject[];
  readonly association: Association;
}

/**
 * Compares what texts find on a frame with the objects that were tracked there, and starts objects from
 * the masks of new instances.
 *
 * @param tracked what {@link Tracker.step} gave for this frame
 * @param texts the text that each object came from; those of new objects are added. Objects without one
 *   were clicked.
 * @param room objects that may be started, the surest first
 */
export async function joinDetections(
  tracker: Tracker,
  index: number,
  frame: VideoFrame,
  found: readonly FoundInstance[],
  tracked: readonly TrackedObject[],
  texts: Map<number, number>,
  room: number,
): Promise<JoinedInstances> {
  const { width, height } = frame.size;
  const association = associate(
    found.map(({ prompt, score, counts }) => ({ prompt, score, mask: bitsFromCounts(counts) })),
    tracked.map(({ id, counts }) => ({
      id,
      mask: bitsFromCounts(counts),
      prompt: texts.get(id) ?? null,
    })),
  );
  const started: TrackedObject[] = [];
  for (const place of association.fresh.slice(0, room)) {
    const { prompt, counts } = found[place];
    const mask = { data: maskFromCounts(counts, height, width), width, height };
    const object = await tracker.addPrompt(index, frame, { mask });
    texts.set(object.id, prompt);
    started.push(object);
  }
  return { started, association };
}
