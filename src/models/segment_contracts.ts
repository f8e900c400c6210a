import type { FixedBank } from './edgetam_parameters.ts';
import type { ModelSource } from './open_models.ts';

/**
 * Which published set of graphs a segmentation model follows; it decides the names and units of
 * all tensors.
 *
 * - `usls`: concepts (text and exemplar boxes), jamjamjon/assets `sam3`, three graphs.
 * - `transformers-tracker`: clicks and boxes, onnx-community's sam3-tracker, EdgeTAM and SAM 2.1,
 *   two graphs with `image_embeddings.*`; for video, those of EdgeTAM's release `edgetam-v1`.
 * - `single-backbone`: our own export (models/export/SAM3.md): one encoder for both, four graphs,
 *   and more for video.
 */
export type SegmentFamily = 'usls' | 'transformers-tracker' | 'single-backbone';

/** A segmentation model as the engine needs it. */
export interface SegmentModel {
  /** As responses and `/health` show it. */
  readonly name: string;
  readonly family: SegmentFamily;
  /** Side of the square that the whole image is stretched to, in pixels. */
  readonly imageSize: number;
  /** A channel of the input is (x / 255 − mean) / std. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  readonly encoder: ModelSource;
  /** Text and exemplar boxes; null where the set has none. */
  readonly concept: { readonly text: ModelSource; readonly decoder: ModelSource } | null;
  /** Clicks and boxes; null where the set has none. */
  readonly click: { readonly decoder: ModelSource } | null;
  /** What follows objects from frame to frame; null where the set has none. */
  readonly video: SegmentVideo | null;
}

/** The graphs that remember, and how much: models/export/SAM3.md, or EdgeTAM's published set. */
interface SegmentVideo {
  readonly attention: ModelSource;
  readonly memory: ModelSource;
  /** Null for EdgeTAM's set, which has none. */
  readonly maskPrompt: ModelSource | null;
  /** EdgeTAM's set only. */
  readonly edgetam: { readonly decoder: ModelSource; readonly bank: FixedBank } | null;
  readonly sizes: VideoSizes;
}

/** What the graphs say of themselves. */
export interface VideoSizes {
  /** Side of a mask's logits. */
  readonly maskSize: number;
  /** Rows of the time table, `num_maskmem`. */
  readonly timeRows: number;
  /** Conditioning frames that are attended to, `max_cond_frame_num`. */
  readonly conditioning: number;
  /** Frames whose object pointers are attended to, `max_object_pointers`. */
  readonly pointers: number;
}

/**
 * What a prompt asks of a model. `concept`: every instance of a text or of what exemplar boxes
 * show. `click`: the one object that points or a box show.
 */
export type SegmentNeed = 'concept' | 'click';
