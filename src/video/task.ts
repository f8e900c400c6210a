import type { TaskKind } from '../engine/task.ts';
import type { PixelBox } from '../media/rle.ts';
import type { SegmentModel } from '../models/segment_contracts.ts';
import type { SegmentPrompt, Size } from '../sam/types.ts';
import type { Direction } from './track/recall.ts';

/** A decoded frame; its pixels are transferred to the engine. */
export interface FramePixels {
  readonly index: number;
  /** Packed RGB8 [height, width, 3]. */
  readonly pixels: Uint8Array<ArrayBuffer>;
  readonly size: Size;
}

/** What an engine does for a session, whose objects live in it. */
export type VideoAction =
  | {
      readonly type: 'open';
      readonly model: SegmentModel;
      /** Of the clip. */
      readonly frames: number;
    }
  | {
      readonly type: 'prompt';
      readonly frame: FramePixels;
      readonly prompts: readonly SegmentPrompt[];
      /** The object that the prompts correct; null where they start objects. */
      readonly object: number | null;
      /** Instances of a concept with a lower score are left out, in [0, 1]. */
      readonly threshold: number;
    }
  | {
      readonly type: 'step';
      readonly frame: FramePixels;
      readonly direction: Direction;
      /** Whether a propagation begins with this frame. */
      readonly isFirst: boolean;
      /** Whether instances of the session's concepts that were not there before become objects. */
      readonly trackNew: boolean;
      /** Whether those are removed that soon prove wrong. */
      readonly settle: boolean;
    }
  | { readonly type: 'remove'; readonly object: number }
  | { readonly type: 'reset' }
  | { readonly type: 'close' };

export interface VideoTask {
  /** Names the session for good, as its id does not: that may be given again. */
  readonly session: string;
  readonly action: VideoAction;
}

/** An object on a frame. */
export interface FrameObject {
  readonly id: number;
  /** Index into the prompts that it answers; null where the frame was only tracked. */
  readonly prompt: number | null;
  /** In [0, 1]; 0 where the object is not to be seen. */
  readonly score: number;
  readonly present: boolean;
  /** COCO run lengths, column-major, the first run outside. */
  readonly counts: Uint32Array<ArrayBuffer>;
  /** Tight box of the mask in pixels; all 0 for an empty mask. */
  readonly box: PixelBox;
}

/** What was found on one frame. */
export interface FrameResult {
  readonly index: number;
  readonly objects: readonly FrameObject[];
}

export interface VideoOutput {
  /** What a prompt or a step found, by rising id. */
  readonly objects: readonly FrameObject[];
  /** Of all objects of the session after the action, rising. */
  readonly ids: readonly number[];
  /** What the session holds on the device after the action. */
  readonly bytes: number;
}

/** One frame a task: between two frames of a video other requests have their turn. */
export const videoTask: TaskKind<VideoTask, VideoOutput> = {
  name: 'video',
  maxBatch: 1,
  batchKey: () => null,
};
