/** The uniforms of kernel.ts. */
export interface PoseScoreParams {
  readonly images: number;
  readonly observations: number;
  readonly width: number;
  readonly height: number;
  readonly tolerance: number;
}

/** Of a row of scores, as kernel.ts says. */
const COLUMNS = 7;

/** CPU twin of pose-score.wgsl. */
export function poseScoreCpu(
  rendered: Float32Array,
  observed: Float32Array,
  mask: Uint8Array,
  scores: Float32Array,
  params: PoseScoreParams,
): void {
  const pixels = params.width * params.height;
  const tolerance = Math.fround(params.tolerance);
  for (let image = 0; image < params.images; image++) {
    let [inliers, violations, uncovered, behind, outside, covered, residuals] = [
      0, 0, 0, 0, 0, 0, 0,
    ];
    const first = (image % params.observations) * pixels;
    let at = image * pixels * 3 + 2;
    for (let pixel = first; pixel < first + pixels; pixel++, at += 3) {
      const model = rendered[at];
      const isObject = mask[pixel] !== 0;
      if (!(model > 0)) {
        if (isObject) uncovered++;
        continue;
      }
      covered++;
      const surface = observed[pixel * 3 + 2];
      if (!(surface > 0)) continue;
      const gap = Math.fround(surface - model);
      if (gap > tolerance) violations++;
      else if (gap < -tolerance) behind += Number(isObject);
      else if (isObject) {
        inliers++;
        residuals += Math.abs(gap);
      } else outside++;
    }
    const mean = residuals / Math.max(inliers, 1);
    const row = [inliers, violations, uncovered, behind, outside, covered, mean];
    scores.set(row, image * COLUMNS);
  }
}
