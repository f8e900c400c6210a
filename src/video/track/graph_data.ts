/** What the graphs of a tracker are asked and answer, whichever contract they follow. */
import type { Tensor } from '../../compute/tensor.ts';
import type { MemoryBank, PromptPoint } from './memory_bank.ts';
import type { Recall } from './recall.ts';

/** One object's past, as a frame reads it. */
export interface RecalledObject {
  readonly bank: MemoryBank;
  readonly recall: Recall;
}

/** What the click decoder is asked, for one object. */
export interface DecoderPrompt {
  /** Equally many for all objects of a run; none on a frame that is only tracked. */
  readonly points: readonly PromptPoint[];
  /** float32 [1, 1, m, m], logits; null where no mask is given. */
  readonly mask: Tensor<'float32'> | null;
}

/** One run of the click decoder; everything lives as long as the scope. */
export interface DecodedRun {
  /** float32 [objects, 1, m, m], `best_mask` */
  readonly masks: Tensor<'float32'>;
  /** float32 [objects, C] */
  readonly pointers: Tensor<'float32'>;
  /** Whether these are the model's; zeros otherwise. @default true */
  readonly hasPointers?: boolean;
  readonly objectScores: Float32Array;
  readonly ious: Float32Array;
}
