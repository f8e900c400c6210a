import type { RgbImage } from '../media/image.ts';
import type { PromptFields } from '../sam/prompt_schema.ts';

/** A mask that a prompt found. */
interface FoundMask {
  /** uint8 [height, width]; 1 inside. */
  readonly mask: Uint8Array<ArrayBuffer>;
  /** Confidence, in [0, 1]. */
  readonly score: number;
  /** Masks that the prompt found; this one has the best score. */
  readonly count: number;
  /** The model that found it. */
  readonly model: string;
}

/** Segmentation, as pose asks for it. */
export interface MaskFinder {
  /**
   * The mask of one object.
   *
   * @param image is not changed
   * @param prompt a text, a box around the object, or clicks on it; fractions of the picture
   * @param options.threshold masks of a lower score do not count; null is the server's own
   * @param options.field how the request calls the prompt, for errors
   * @returns null where nothing was found
   * @throws HttpError 422 naming the field; ModelNotInstalledError, EngineError.
   */
  find(
    image: RgbImage,
    prompt: PromptFields,
    options: {
      readonly threshold: number | null;
      readonly field: string;
      readonly signal?: AbortSignal;
    },
  ): Promise<FoundMask | null>;
}
