/** The disagreement from which on a mesh and a depth map can't be of one object. */
const MOST_RATIO = 3;

/**
 * The diameter over the visible extent, when all is well: an object shows less than all of itself,
 * seldom less than half.
 */
const USUAL_RATIO = 1.3;

/** Metres of the units that meshes and depth maps come in. */
const UNITS = { mm: 0.001, cm: 0.01, inch: 0.0254 } as const;
type LengthUnit = keyof typeof UNITS;

export interface DepthAgreement {
  /** The mesh's diameter over the extent of the masked depth. */
  readonly ratio: number;
  /** Whether they are within a factor of three of each other. */
  readonly agrees: boolean;
  /**
   * The unit that explains a disagreement best, null when none brings the two within a factor of
   * three. With a ratio above 1 the mesh is in that unit and was read as metres; below 1 the mesh
   * was taken for that unit and is in metres, or the depth is in it and was read as metres.
   */
  readonly unit: LengthUnit | null;
  /**
   * What `mesh_scale` would have to be multiplied by for `unit` to be right; null without a unit.
   */
  readonly scale: number | null;
}

/**
 * Compares the size of a mesh with that of what is seen of it.
 *
 * @param meshDiameter Metres, above 0.
 * @param depthExtent Metres, above 0: see {@link pointsExtent}.
 * @throws {RangeError} When either isn't a finite number above 0.
 */
export function meshDepthRatio(meshDiameter: number, depthExtent: number): DepthAgreement {
  for (const length of [meshDiameter, depthExtent]) {
    if (Number.isFinite(length) && length > 0) continue;
    throw new RangeError(`a length is ${length}; expected finite metres above 0`);
  }
  const ratio = meshDiameter / depthExtent;
  if (isWithin(ratio)) return { ratio, agrees: true, unit: null, scale: null };
  let best: { unit: LengthUnit; scale: number } | null = null;
  for (const [unit, metres] of Object.entries(UNITS) as [LengthUnit, number][]) {
    const scale = ratio > 1 ? metres : 1 / metres;
    const isBetter = !best || farness(ratio * scale) < farness(ratio * best.scale);
    if (isWithin(ratio * scale) && isBetter) best = { unit, scale };
  }
  return { ratio, agrees: false, unit: best?.unit ?? null, scale: best?.scale ?? null };
}

function isWithin(ratio: number): boolean {
  return ratio <= MOST_RATIO && ratio >= 1 / MOST_RATIO;
}

function farness(ratio: number): number {
  return Math.abs(Math.log(ratio / USUAL_RATIO));
}

/**
 * The size of what a depth map shows of an object: the diagonal of the box that leaves out the
 * outermost 2 % of the points at each end of each axis, where pixels at the mask's rim show the
 * background.
 *
 * @param points [N, 3], metres; those with z = 0 or not finite aren't counted.
 * @returns Metres; 0 without points.
 */
export function pointsExtent(points: Float32Array): number {
  const axes: [number[], number[], number[]] = [[], [], []];
  for (let at = 0; at + 2 < points.length; at += 3) {
    const [x, y, z] = [points[at], points[at + 1], points[at + 2]];
    if (!(z > 0 && Number.isFinite(x) && Number.isFinite(y) && Number.isFinite(z))) continue;
    axes[0].push(x);
    axes[1].push(y);
    axes[2].push(z);
  }
  const count = axes[0].length;
  if (count === 0) return 0;
  const cut = Math.floor(count * 0.02);
  const sides = axes.map((values) => {
    const sorted = Float64Array.from(values).sort();
    return sorted[count - 1 - cut] - sorted[cut];
  });
  return Math.hypot(...sides);
}
