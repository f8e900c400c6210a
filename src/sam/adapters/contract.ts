import type { HostArray } from '../feeds.ts';

/** What a run of the concept decoder is fed besides the image's features and the texts'. */
export interface ConceptAdapter {
  /** Outputs of the vision encoder that the decoder reads, by the same names. */
  readonly features: readonly string[];
  /** Whether one image's features serve all prompts of a run; otherwise a run takes one prompt. */
  readonly sharesImage: boolean;
}

/** One object's clicks in the units of the click decoders. */
export interface ObjectPrompt {
  /** [x, y] in model pixels, those of a box's corners last. */
  readonly points: readonly (readonly [number, number])[];
  /** 1 inside, 0 outside, 2 and 3 a box's top left and bottom right corner. */
  readonly labels: readonly number[];
  /** Whether one click leaves open which of three masks is meant. */
  readonly ambiguous: boolean;
}

/** How clicks go into a click decoder and where its answers are. */
export interface ClickAdapter {
  readonly features: readonly string[];
  /**
   * Host inputs by name, for objects with equally many points; the graph takes those it has.
   *
   * @param maskSide of a mask's logits, where the graph says it
   */
  inputs(objects: readonly ObjectPrompt[], maskSide: number): Readonly<Record<string, HostArray>>;
  /** Output with one or several predicted IoUs an object: the best one is taken. */
  readonly scores: string;
  /** Output with as many logit maps. */
  readonly masks: string;
}

/** One family of published graphs. */
export interface SegmentAdapter {
  /** The vision encoder's input, float32 [1, 3, S, S]. */
  readonly pixels: string;
  readonly concept: ConceptAdapter | null;
  readonly click: ClickAdapter | null;
}
