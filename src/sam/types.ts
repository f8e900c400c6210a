import type { SegmentModel } from '../models/segment_contracts.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** [x0, y0, x1, y1], normalised by the image's width and height. */
export type CornerBox = readonly [number, number, number, number];

/** A box that shows a concept (`positive`) or what does not belong to it. */
export interface Exemplar {
  readonly box: CornerBox;
  readonly positive: boolean;
}

/** Every instance of a concept: a text, `visual` for boxes alone, and its exemplars. */
export interface ConceptPrompt {
  readonly type: 'concept';
  /** Tokens of the text: BOS … EOS, padded to the text encoder's length. */
  readonly inputIds: readonly number[];
  /** 1 for BOS … EOS, 0 for padding. */
  readonly attentionMask: readonly number[];
  readonly exemplars: readonly Exemplar[];
}

/** One object, shown by clicks, a box, or both. */
export interface ClickPrompt {
  readonly type: 'click';
  /** [x, y], normalised. */
  readonly points: readonly (readonly [number, number])[];
  /** 1 inside the object, 0 outside; one a point. */
  readonly labels: readonly (0 | 1)[];
  readonly box: CornerBox | null;
}

export type SegmentPrompt = ConceptPrompt | ClickPrompt;

/** A picture that prompts are on. The pixels are transferred to the engine. */
export interface ImageTask {
  readonly model: SegmentModel;
  /** Packed RGB8 [height, width, 3]. */
  readonly pixels: Uint8Array<ArrayBuffer>;
  readonly size: Size;
  /** Hash of the pixels and their size: with the model, the key of cached features. */
  readonly imageKey: string;
}

/** One object's mask at the image's size. */
export interface SegmentedMask {
  /** Index into the task's prompts. */
  readonly prompt: number;
  /** In [0, 1]. */
  readonly score: number;
  /** COCO run lengths, column-major, the first run outside. */
  readonly counts: Uint32Array<ArrayBuffer>;
  /** Pixels inside. */
  readonly area: number;
  /** Tight box of the mask in pixels; all 0 for an empty mask. */
  readonly box: {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  };
}
