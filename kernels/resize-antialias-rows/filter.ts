/** How each output of an axis is made from neighbouring inputs, in fixed-point numbers. */
export interface AntialiasFilter {
  /** First input of each output, uint32 [dst]; the first plus `taps` is never above `src`. */
  readonly starts: Uint32Array<ArrayBuffer>;
  /** uint32 [dst, taps], each times 2^−fractionBits; unused ones are 0. */
  readonly weights: Uint32Array<ArrayBuffer>;
  /** Weights an output: 2 where the axis grows, about 2·src/dst where it shrinks. */
  readonly taps: number;
  /** Fraction bits of the weights, 14 to 22. */
  readonly fractionBits: number;
}

/** The largest weight has to fit int16, and more bits than this would overflow int32 sums. */
const MAX_WEIGHT = 32_768;
const MAX_FRACTION_BITS = 22;
/** Of more weights the rounding errors could add up to a level above 255. */
const MAX_REDUCTION = 8192;

/**
 * Weights of `torch.nn.functional.interpolate(mode='bilinear', antialias=True)` on uint8, which are
 * Pillow's: a triangle around the output's centre, as wide as the reduction and at least one input,
 * cut off at the borders, normalised, then rounded to int16 with as many fraction bits as the axis's
 * largest weight leaves room for. Facts: PyTorch, aten/src/ATen/native/cpu/UpSampleKernel.cpp.
 *
 * In float64 and PyTorch's order of operations: they round to other integers otherwise. A shader
 * has no float64, so they are computed here once, for all devices.
 *
 * @param src inputs of the axis, from 1 on
 * @param dst outputs of the axis, from 1 on; `src` is at most 8192 times as many
 * @throws {RangeError} for other numbers.
 */
export function antialiasFilter(src: number, dst: number): AntialiasFilter {
  check(src, dst);
  const scale = src / dst;
  const support = Math.max(scale, 1);
  const begins = new Uint32Array(dst);
  const ends = new Uint32Array(dst);
  let taps = 1;
  for (let d = 0; d < dst; d++) {
    const centre = scale * (d + 0.5);
    begins[d] = Math.max(Math.trunc(centre - support + 0.5), 0);
    ends[d] = Math.min(Math.trunc(centre + support + 0.5), src);
    taps = Math.max(taps, ends[d] - begins[d]);
  }
  // The last windows begin earlier, with weights of 0, so that all are within the axis.
  const starts = begins.map((begin) => Math.min(begin, src - taps));
  const exact = new Float64Array(dst * taps);
  for (let d = 0; d < dst; d++) {
    const at = d * taps + begins[d] - starts[d];
    const row = exact.subarray(at, at + ends[d] - begins[d]);
    fillTriangle(row, begins[d], scale * (d + 0.5), 1 / support);
  }
  const fractionBits = fractionBitsFor(exact);
  const weights = Uint32Array.from(exact, (weight) => Math.trunc(0.5 + weight * 2 ** fractionBits));
  return { starts, weights, taps, fractionBits };
}

/** The normalised weights of one output whose first input is `begin`. */
function fillTriangle(
  weights: Float64Array,
  begin: number,
  centre: number,
  inverseWidth: number,
): void {
  let total = 0;
  for (let tap = 0; tap < weights.length; tap++) {
    const distance = Math.abs((tap + begin - centre + 0.5) * inverseWidth);
    weights[tap] = distance < 1 ? 1 - distance : 0;
    total += weights[tap];
  }
  for (let tap = 0; tap < weights.length; tap++) weights[tap] /= total;
}

function fractionBitsFor(weights: Float64Array): number {
  const largest = weights.reduce((most, weight) => Math.max(most, weight), 0);
  let fractionBits = 0;
  while (
    fractionBits < MAX_FRACTION_BITS &&
    Math.trunc(0.5 + largest * 2 ** (fractionBits + 1)) < MAX_WEIGHT
  ) {
    fractionBits++;
  }
  return fractionBits;
}

function check(src: number, dst: number): void {
  const isLength = (value: number) => Number.isInteger(value) && value > 0;
  if (isLength(src) && isLength(dst) && src <= dst * MAX_REDUCTION) return;
  const expected = `expected whole numbers from 1 on, the first at most ${MAX_REDUCTION} times`;
  throw new RangeError(`an axis of ${src} resized to ${dst}; ${expected} the second`);
}
