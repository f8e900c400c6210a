import type { Tensor } from '../../compute/tensor.ts';
import { type EncodedMask, encodeMasks } from '../../sam/mask_rle.ts';
import type { TrackerEngine } from './graphs.ts';

/** An object on a frame. */
export interface TrackedObject extends EncodedMask {
  readonly id: number;
  /** False where the object is hidden or out of sight; its mask then is empty and its score 0. */
  readonly present: boolean;
  /** Predicted IoU of the mask, in [0, 1]. */
  readonly score: number;
  /** Logit that the object is there. */
  readonly objectScore: number;
}

/** What the decoder found for one object. */
export interface FoundObject {
  readonly id: number;
  readonly objectScore: number;
  readonly iou: number;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Masks at the frame's size, empty ones for absent objects.
 *
 * @param masks float32 [objects, 1, m, m], in the order of `found`
 */
export async function answerMasks(
  { backend }: TrackerEngine,
  masks: Tensor<'float32'>,
  found: readonly FoundObject[],
  size: Size,
): Promise<TrackedObject[]> {
  const selected = [...found.keys()].filter((i) => found[i].objectScore > 0);
  const encoded = await encodeMasks(backend, masks, size, { selected });
  const shown = new Map(selected.map((map, i) => [map, encoded[i]]));
  return found.map(({ id, objectScore, iou }, i) => {
    const mask = shown.get(i);
    const score = mask ? Math.min(1, Math.max(0, iou)) : 0;
    return { id, present: mask !== undefined, score, objectScore, ...(mask ?? emptyMask(size)) };
  });
}

function emptyMask({ width, height }: Size): EncodedMask {
  const box = { x: 0, y: 0, width: 0, height: 0 };
  return { counts: Uint32Array.of(width * height), area: 0, box };
}
