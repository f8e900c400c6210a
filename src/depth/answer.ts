/** A model that gave nothing usable; the caller is told. */
class ModelOutputError extends Error {
  override readonly name = 'ModelOutputError';
  readonly status = 500;
}

/**
 * The smallest and largest value of a depth map.
 *
 * @throws when the model's output is unusable, which fp16 graphs are known to give on some
 *   devices: NaN, infinite, or zero everywhere.
 */
export function valueRange(depth: Float32Array): { min: number; max: number } {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (let i = 0; i < depth.length; i++) {
    const value = depth[i];
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
  }
  // One NaN or infinity makes the sum so.
  if (!Number.isFinite(sum) || (min === 0 && max === 0)) {
    const found = Number.isFinite(sum) ? 'zero everywhere' : 'not finite';
    throw new ModelOutputError(
      `the depth model's output is ${found}: its file is damaged (models verify), or its precision does not work on this device (use the fp32 model)`,
    );
  }
  return { min, max };
}

/** R | G<<8 | B<<16 words → packed RGB8. */
export function packColors(words: Uint32Array): Uint8Array<ArrayBuffer> {
  const colors = new Uint8Array(words.length * 3);
  for (let i = 0, out = 0; i < words.length; i++, out += 3) {
    const word = words[i];
    colors[out] = word & 255;
    colors[out + 1] = (word >> 8) & 255;
    colors[out + 2] = (word >> 16) & 255;
  }
  return colors;
}

/** The points that `unproject` did not put at the origin, with their colours, in order. */
export function keptPoints(
  points: Float32Array<ArrayBuffer>,
  colors: Uint8Array<ArrayBuffer> | null,
): { points: Float32Array<ArrayBuffer>; colors: Uint8Array<ArrayBuffer> | null } {
  let kept = 0;
  for (let i = 0; i < points.length; i += 3) {
    if (points[i + 2] === 0) continue;
    points.copyWithin(kept * 3, i, i + 3);
    colors?.copyWithin(kept * 3, i, i + 3);
    kept++;
  }
  return { points: points.slice(0, kept * 3), colors: colors?.slice(0, kept * 3) ?? null };
}
