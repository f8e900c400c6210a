import { meshDepthRatio, pointsExtent } from '../media/mesh/units.ts';
import type { RgbdFrame } from './method.ts';

/** What was sent, in the words of the request. */
export interface SentScales {
  readonly meshField: string;
  readonly meshScaleField: string;
  readonly meshScale: number;
  readonly depthScaleField: string;
  readonly depthScale: number;
}

/** With fewer there is no pose anyway, which the method says. */
const MIN_POINTS = 4;

/** More say no more of how far they extend. */
const MAX_POINTS = 20_000;

const UNIT_NAMES = { mm: 'millimetres', cm: 'centimetres', inch: 'inches' } as const;

/**
 * Says when a mesh and what a mask shows of the depth cannot be of one size: by more than a factor
 * of three, with the ratio and the unit that would explain it.
 *
 * @param diameter of the mesh, metres
 * @param mask uint8 [height, width]
 */
export function unitProblem(
  diameter: number,
  frame: RgbdFrame,
  mask: Uint8Array,
  sent: SentScales,
): string | null {
  const points = maskedPoints(frame, mask);
  const extent = pointsExtent(points);
  if (points.length < 3 * MIN_POINTS || extent === 0) return null;
  const { ratio, agrees, unit, scale } = meshDepthRatio(diameter, extent);
  if (agrees) return null;
  const given =
    `${sent.meshField}: its diameter is ${metres(diameter)}, but the depth in the mask extends ` +
    `over ${metres(extent)}: a ratio of ${rounded(ratio)}, beyond a factor of 3`;
  if (unit === null || scale === null) {
    return `${given}. Check that it is this object's mesh, that the mask shows it, and ${sent.meshScaleField} and ${sent.depthScaleField}`;
  }
  return `${given}. ${advice(ratio, unit, scale, sent)}`;
}

function advice(
  ratio: number,
  unit: keyof typeof UNIT_NAMES,
  scale: number,
  { meshScale, meshScaleField, depthScale, depthScaleField }: SentScales,
): string {
  const meshUnit = `send ${meshScaleField} ${rounded(meshScale * scale)}`;
  if (ratio > 1) return `The mesh is likely in ${unit} (${UNIT_NAMES[unit]}): ${meshUnit}`;
  const depthUnit = `send ${depthScaleField} ${rounded(depthScale / scale)}`;
  return (
    `The mesh was likely taken for ${unit} (${UNIT_NAMES[unit]}) and is in metres: ${meshUnit}; ` +
    `or the depth is in ${unit} and was read as metres: ${depthUnit}`
  );
}

/** [N, 3], metres: of the mask's pixels that have depth, every n-th where there are many. */
function maskedPoints({ width, depth, intrinsics }: RgbdFrame, mask: Uint8Array): Float32Array {
  const { fx, fy, cx, cy } = intrinsics;
  const isSeen = (pixel: number) => mask[pixel] !== 0 && depth[pixel] > 0;
  let count = 0;
  for (let pixel = 0; pixel < mask.length; pixel++) count += isSeen(pixel) ? 1 : 0;
  // Odd, so that it does not take the same columns of every row.
  const step = Math.ceil(count / MAX_POINTS) | 1;
  const points = new Float32Array(Math.ceil(count / step) * 3);
  for (let pixel = 0, seen = 0, at = 0; pixel < mask.length; pixel++) {
    if (!isSeen(pixel) || seen++ % step !== 0) continue;
    const [v, z] = [Math.floor(pixel / width), depth[pixel]];
    points[at++] = ((pixel - v * width - cx) / fx) * z;
    points[at++] = ((v - cy) / fy) * z;
    points[at++] = z;
  }
  return points;
}

function metres(value: number): string {
  return `${rounded(value)} m`;
}

function rounded(value: number): string {
  return String(Number(value.toPrecision(3)));
}
