import { bestAssignment } from './assignment.ts';
import { type BitMask, maskIou } from './mask_overlap.ts';

/** An instance that a text found on a frame. */
export interface Detection {
  /** In [0, 1]. */
  readonly score: number;
  readonly mask: BitMask;
  /** Which text; instances of different texts are never matched. */
  readonly prompt: number;
}

/** An object as it was tracked on the same frame, at the same size. */
export interface Track {
  readonly id: number;
  readonly mask: BitMask;
  /** Of the text that the object came from; null for one that was clicked. */
  readonly prompt: number | null;
}

/** As SAM 3 has them (facebookresearch/sam3, `sam3_video_base.py`; transformers' `Sam3VideoConfig`). */
export interface AssociationLimits {
  /** Detections count from this score on; `score_threshold_detection`. */
  readonly leastScore: number;
  /** Of two detections that overlap more, the weaker one goes; `det_nms_thresh`. */
  readonly mostOverlap: number;
  /** A track is matched from this IoU on; `trk_assoc_iou_thresh`. */
  readonly matchIou: number;
  /** A detection that overlaps some track as much is not new; `assoc_iou_thresh`. */
  readonly knownIou: number;
  /** A new detection becomes an object from this score on; `new_det_thresh`. */
  readonly newScore: number;
}

export const ASSOCIATION: AssociationLimits = {
  leastScore: 0.5,
  mostOverlap: 0.1,
  matchIou: 0.5,
  knownIou: 0.1,
  newScore: 0.7,
};

/** Places of detections are those in the list that was given. */
export interface Association {
  /** Track and the detection that shows the same. */
  readonly matches: readonly {
    readonly id: number;
    readonly detection: number;
    readonly iou: number;
  }[];
  /** Visible tracks that no detection shows. */
  readonly unmatched: readonly number[];
  /** Detections that become objects, the best first. */
  readonly fresh: readonly number[];
}

/**
 * Which detections of a frame show the objects that are tracked, and which are new.
 *
 * Weak and doubled detections go first. Then tracks and detections are paired so that the IoUs add up
 * to the most; pairs below `matchIou` do not count. What overlaps no track of its text, or a clicked
 * one, as much as `knownIou` and scores `newScore` is new.
 */
export function associate(
  detections: readonly Detection[],
  tracks: readonly Track[],
  limits: AssociationLimits = ASSOCIATION,
): Association {
  const kept = suppressDoubles(detections, limits);
  const ious = tracks.map((track) =>
    kept.map((place) => {
      const { mask, prompt } = detections[place];
      return track.prompt === null || track.prompt === prompt ? maskIou(track.mask, mask) : 0;
    }),
  );
  const matches = bestAssignment(ious)
    .map(([t, d]) => ({ id: tracks[t].id, detection: kept[d], iou: ious[t][d] }))
    .filter(({ iou }) => iou >= limits.matchIou);
  const matched = new Set(matches.map(({ id }) => id));
  const isNew = (place: number, d: number) =>
    detections[place].score >= limits.newScore && ious.every((row) => row[d] < limits.knownIou);
  return {
    matches,
    unmatched: tracks
      .filter(({ id, mask }) => mask.area > 0 && !matched.has(id))
      .map(({ id }) => id),
    fresh: kept.filter(isNew),
  };
}

/**
 * Places of the detections that stay, the best first: greedy non-maximum suppression on mask IoU among
 * those of one text.
 */
export function suppressDoubles(
  detections: readonly Detection[],
  { leastScore, mostOverlap }: AssociationLimits = ASSOCIATION,
): number[] {
  const ranked = [...detections.keys()]
    .filter((place) => detections[place].score > leastScore && detections[place].mask.area > 0)
    .sort((a, b) => detections[b].score - detections[a].score);
  const kept: number[] = [];
  for (const place of ranked) {
    const { mask, prompt } = detections[place];
    const isDouble = kept.some((other) => {
      const better = detections[other];
      return better.prompt === prompt && maskIou(better.mask, mask) > mostOverlap;
    });
    if (!isDouble) kept.push(place);
  }
  return kept;
}

/** A track, and when it was out of sight last. */
export interface SeenTrack extends Track {
  /** Frame; null for one that was always seen. */
  readonly lastHidden: number | null;
}

/** Tracks of one text that overlap as much show the same (`suppress_overlapping_…_threshold`). */
const SAME_IOU = 0.7;

/**
 * Ids of the tracks to hide: of two of one text that show the same, the one that was out of sight more
 * recently, which has jumped onto the other. Where one of them is not known to have been away both stay
 * (transformers' `_get_objects_to_suppress_based_on_most_recently_occluded`).
 *
 * @param direction 1 forward in time, −1 backward
 */
export function overlappingTracks(tracks: readonly SeenTrack[], direction: 1 | -1): number[] {
  const jumped = (one: SeenTrack, other: SeenTrack) =>
    one.prompt === other.prompt &&
    one.lastHidden !== null &&
    other.lastHidden !== null &&
    (one.lastHidden - other.lastHidden) * direction > 0 &&
    maskIou(one.mask, other.mask) >= SAME_IOU;
  return tracks
    .filter((one) => tracks.some((other) => other !== one && jumped(one, other)))
    .map(({ id }) => id);
}
