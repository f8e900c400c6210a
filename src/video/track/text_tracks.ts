import type { TrackedObject } from './answer.ts';
import { type Association, overlappingTracks, type SeenTrack } from './associate.ts';
import type { FoundInstance } from './join_detections.ts';
import { bitsFromCounts, maskIou } from './mask_overlap.ts';
import type { Direction } from './recall.ts';

/** As SAM 3 has them (facebookresearch/sam3, `sam3_video_base.py`; transformers' `Sam3VideoConfig`). */
export interface UpkeepLimits {
  /** Frames from one reconditioning to the next; `recondition_every_nth_frame`. */
  readonly reconditionEvery: number;
  /** An object is sure where it, the detection that shows it (`high_conf_thresh`) … */
  readonly sureScore: number;
  /** … and their overlap reach these; `high_iou_thresh`. */
  readonly sureIou: number;
  /** Frames of an object's life in which it is on trial; `hotstart_delay`. */
  readonly trialFrames: number;
  /** Frames without a detection that end the trial; `hotstart_unmatch_thresh`. */
  readonly mostUnmatched: number;
  /** Frames on an earlier object's place that end it; `hotstart_dup_thresh`. */
  readonly mostDoubled: number;
  /** Two objects are in one place from this IoU on; `trk_assoc_iou_thresh`. */
  readonly sameIou: number;
}

export const UPKEEP: UpkeepLimits = {
  reconditionEvery: 16,
  sureScore: 0.8,
  sureIou: 0.8,
  trialFrames: 15,
  mostUnmatched: 8,
  mostDoubled: 8,
  sameIou: 0.5,
};

/** How an object does that is on trial. */
interface Life {
  /** Frames that it was followed through since it was found, in whatever direction. */
  age: number;
  unmatched: number;
  doubled: number;
}

/** One frame, as it was followed and compared with what the texts find on it. */
export interface Review {
  readonly frame: number;
  readonly direction: Direction;
  readonly tracked: readonly TrackedObject[];
  readonly found: readonly FoundInstance[];
  readonly association: Association;
  /** Of the object: its text. */
  readonly texts: ReadonlyMap<number, number>;
}

/** Ids of objects. */
export interface Verdict {
  /** They show the same as another that was in sight for longer: not to be shown on this frame. */
  readonly hidden: readonly number[];
  /** What the detector confirms: to be remembered as something to track it by. */
  readonly sure: readonly number[];
  /** New ones that nothing confirms, or that double others. */
  readonly failed: readonly number[];
}

/** Follows how objects that came from texts do, frame by frame. */
export class TextTracks {
  /** Of objects on trial. */
  private readonly lives = new Map<number, Life>();
  /** Of any object from a text: the frame on which it was out of sight or hidden last. */
  private readonly hiddenOn = new Map<number, number>();

  constructor(private readonly limits: UpkeepLimits = UPKEEP) {}

  /** Puts objects on trial that a text found in the course of a propagation. */
  born(ids: readonly number[]): void {
    for (const id of ids) this.lives.set(id, { age: 0, unmatched: 0, doubled: 0 });
  }

  /** What a propagation showed to its end stays. */
  endTrials(): void {
    this.lives.clear();
  }

  forget(id: number): void {
    this.lives.delete(id);
    this.hiddenOn.delete(id);
  }

  /** Forgets all objects. */
  reset(): void {
    this.lives.clear();
    this.hiddenOn.clear();
  }

  /** What to do about the objects of a frame that came from texts. */
  review(review: Review): Verdict {
    const { frame, direction, tracked, association, texts } = review;
    const seen: SeenTrack[] = tracked.flatMap(({ id, counts }) => {
      const prompt = texts.get(id);
      if (prompt === undefined) return [];
      return [
        { id, prompt, mask: bitsFromCounts(counts), lastHidden: this.hiddenOn.get(id) ?? null },
      ];
    });
    const hidden = overlappingTracks(seen, direction);
    for (const { id, mask } of seen) {
      const life = this.lives.get(id);
      if (mask.area === 0 || hidden.includes(id)) this.hiddenOn.set(id, frame);
      if (life) life.age++;
      if (life && association.unmatched.includes(id)) life.unmatched++;
      if (life && this.isDoubled(id, seen)) life.doubled++;
    }
    const failed = this.failed(seen);
    const isKept = (id: number) => !hidden.includes(id) && !failed.includes(id);
    return { hidden, failed, sure: this.confirmed(review).filter(isKept) };
  }

  /** Whether an object of the same text with a lower id, which is an earlier one, is in its place. */
  private isDoubled(id: number, seen: readonly SeenTrack[]): boolean {
    const own = seen.find((one) => one.id === id);
    return seen.some(
      (other) =>
        own !== undefined &&
        other.id < id &&
        other.prompt === own.prompt &&
        maskIou(other.mask, own.mask) >= this.limits.sameIou,
    );
  }

  private confirmed({ frame, tracked, found, association, texts }: Review): number[] {
    const { reconditionEvery, sureScore, sureIou } = this.limits;
    if (frame % reconditionEvery !== 0) return [];
    const scores = new Map(tracked.map(({ id, objectScore }) => [id, objectScore]));
    return association.matches
      .filter(({ id, detection, iou }) => {
        const own = 1 / (1 + Math.exp(-(scores.get(id) ?? Number.NEGATIVE_INFINITY)));
        const isSure = found[detection].score >= sureScore && own > sureScore;
        return texts.has(id) && isSure && iou >= sureIou;
      })
      .map(({ id }) => id);
  }

  private failed(seen: readonly SeenTrack[]): number[] {
    const { trialFrames, mostUnmatched, mostDoubled } = this.limits;
    return seen
      .map(({ id }) => id)
      .filter((id) => {
        const life = this.lives.get(id);
        if (!life) return false;
        if (life.age >= trialFrames) {
          this.lives.delete(id);
          return false;
        }
        return life.unmatched >= mostUnmatched || life.doubled >= mostDoubled;
      });
  }
}
