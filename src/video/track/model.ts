import type { FixedBank } from '../../models/edgetam_parameters.ts';
import type { ModelSource } from '../../models/open_models.ts';

/** The graphs that follow objects through a clip: models/export/SAM3.md, or EdgeTAM's video set. */
export interface TrackerModel {
  /** As responses and `/health` show it. */
  readonly name: string;
  /** Side of the square that a whole frame is stretched to, in pixels. */
  readonly imageSize: number;
  /** Side of a mask's logits. */
  readonly maskSize: number;
  /** A channel of the input is (x / 255 − mean) / std. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  readonly encoder: ModelSource;
  readonly clickDecoder: ModelSource;
  readonly memoryAttention: ModelSource;
  readonly memoryEncoder: ModelSource;
  /** Null where masks are remembered as they are given. */
  readonly maskPrompt: ModelSource | null;
  /** EdgeTAM's video set: its decoder of frames without a prompt, and its bank. Null for others. */
  readonly edgetam: EdgeTamGraphs | null;
  readonly limits: MemoryLimits;
}

export interface EdgeTamGraphs {
  readonly decoder: ModelSource;
  readonly bank: FixedBank;
}

/** How much of the past a frame is compared with. */
export interface MemoryLimits {
  /** Rows of the time table, `num_maskmem`: one for conditioning frames, the others for recent ones. */
  readonly timeRows: number;
  /** Conditioning frames, `max_cond_frame_num`. */
  readonly conditioning: number;
  /** Object pointers of frames that are not conditioning, plus one: `max_object_pointers`. */
  readonly pointers: number;
}

/** SAM 2's and SAM 3's. */
export const SAM_LIMITS: MemoryLimits = { timeRows: 7, conditioning: 4, pointers: 16 };
