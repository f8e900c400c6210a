/** A mask that passed the threshold: which one of the graph's, and its score. */
export interface Kept {
  readonly map: number;
  readonly score: number;
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/**
 * Of one concept prompt the queries whose score, sigmoid(`pred_logits`) · sigmoid(`presence_logits`)
 * as in transformers' `post_process_instance_segmentation`, reaches the threshold; the best first,
 * equal ones in the graph's order.
 *
 * @param logits float32 [Q]
 * @throws Error where the graph gave no numbers
 */
export function keptQueries(
  logits: ArrayLike<number>,
  presence: number,
  threshold: number,
): Kept[] {
  const present = sigmoid(presence);
  return Array.from(logits, (logit, map) => ({
    map,
    score: checked(sigmoid(logit) * present),
  }))
    .filter(({ score }) => score >= threshold)
    .sort((a, b) => b.score - a.score);
}

/**
 * Of one object's candidate masks the one with the best predicted IoU; that is its score, cut to
 * [0, 1]. None where the object is not there (`object_score_logits` ≤ 0), or where the score is
 * below the threshold.
 *
 * @param ious predicted IoU of each candidate
 * @throws Error where the graph gave no numbers
 */
export function keptCandidate(
  ious: ArrayLike<number>,
  objectLogit: number,
  threshold: number,
): Kept | null {
  if (checked(objectLogit) <= 0) return null;
  const candidates = Array.from(ious, (iou, map) => ({ map, score: checked(iou) }));
  const best = candidates.reduce((a, b) => (b.score > a.score ? b : a));
  const score = Math.min(1, Math.max(0, best.score));
  return score >= threshold ? { map: best.map, score } : null;
}

function checked(value: number): number {
  if (Number.isFinite(value)) return value;
  throw new Error(
    `the model gave a score that is not finite (${value}): its file may be damaged, or half precision overflowed; use one in float32`,
  );
}
