/** The uniforms of kernel.ts. */
export interface IcpSolveParams {
  readonly poses: number;
  readonly damping: number;
}

/** Of a row of sums, as the kernel `icp-step` gives them. */
const SUMS = 29;

/** Least number of pairs that determine a step. */
const MIN_PAIRS = 6;

/** Radians; and what no step is as long as. */
const MAX_TURN = 3;
const LARGEST = 1e6;

/** CPU twin of icp-solve.wgsl, in float64. */
export function icpSolveCpu(sums: Float32Array, poses: Float32Array, params: IcpSolveParams): void {
  const damping = Math.fround(params.damping);
  for (let index = 0; index < params.poses; index++) {
    const own = sums.subarray(index * SUMS, (index + 1) * SUMS);
    const twist = solveTwist(own, damping);
    if (twist) applyTwist(poses.subarray(index * 16, index * 16 + 16), twist);
  }
}

/** (ω, v) by Cholesky; null where pairs are too few, or all without a lever. */
function solveTwist(sums: Float32Array, damping: number): Float64Array | null {
  if (!(sums[28] >= MIN_PAIRS)) return null;
  const factor = new Float64Array(36);
  for (let i = 0, cell = 0; i < 6; i++) {
    for (let j = i; j < 6; j++, cell++) factor[j * 6 + i] = sums[cell];
  }
  // A direction without any pair has a diagonal of 0: a floor keeps it where it is.
  const floor = [0, 3].map((block) => {
    const trace = factor[block * 7] + factor[(block + 1) * 7] + factor[(block + 2) * 7];
    return trace * 1e-9 + Number.MIN_VALUE;
  });
  for (let i = 0; i < 6; i++) factor[i * 7] += damping * factor[i * 7] + floor[i < 3 ? 0 : 1];
  if (!factorize(factor)) return null;
  const x = Float64Array.from(sums.subarray(21, 27));
  for (let i = 0; i < 6; i++) {
    for (let j = 0; j < i; j++) x[i] -= factor[i * 6 + j] * x[j];
    x[i] /= factor[i * 7];
  }
  for (let i = 5; i >= 0; i--) {
    for (let j = i + 1; j < 6; j++) x[i] -= factor[j * 6 + i] * x[j];
    x[i] /= factor[i * 7];
  }
  const [turn, drift] = [Math.hypot(x[0], x[1], x[2]), Math.hypot(x[3], x[4], x[5])];
  if (!(turn < LARGEST && drift < LARGEST)) return null;
  const share = MAX_TURN / Math.max(turn, MAX_TURN);
  return x.map((value) => value * share);
}

/** Cholesky's factor of the lower triangle [6, 6], in place; false unless positive definite. */
function factorize(matrix: Float64Array): boolean {
  for (let j = 0; j < 6; j++) {
    for (let i = j; i < 6; i++) {
      let value = matrix[i * 6 + j];
      for (let k = 0; k < j; k++) value -= matrix[i * 6 + k] * matrix[j * 6 + k];
      if (i === j && !(value > 0)) return false;
      matrix[i * 6 + j] = i === j ? Math.sqrt(value) : value / matrix[j * 7];
    }
  }
  return true;
}

/** Turns and moves one pose [4, 4] about its own translation, in place. */
function applyTwist(pose: Float32Array, twist: Float64Array): void {
  const [x, y, z, vx, vy, vz] = twist;
  const squared = x * x + y * y + z * z;
  const angle = Math.sqrt(squared);
  // exp(ω) = I + a·[ω] + b·[ω]², V(ω) = I + b·[ω] + c·[ω]²; series where the angle is tiny.
  const isTiny = angle < 1e-4;
  const a = isTiny ? 1 - squared / 6 : Math.sin(angle) / angle;
  const b = isTiny ? 0.5 - squared / 24 : (1 - Math.cos(angle)) / squared;
  const c = isTiny ? 1 / 6 - squared / 120 : (1 - a) / squared;
  const turn = series(x, y, z, a, b);
  const drift = series(x, y, z, b, c);
  for (let column = 0; column < 3; column++) {
    const [p, q, r] = [pose[column], pose[column + 4], pose[column + 8]];
    for (let row = 0; row < 3; row++) {
      pose[row * 4 + column] = turn[row * 3] * p + turn[row * 3 + 1] * q + turn[row * 3 + 2] * r;
    }
  }
  orthonormalize(pose);
  for (let row = 0; row < 3; row++) {
    const [p, q, r] = drift.subarray(row * 3, row * 3 + 3);
    pose[row * 4 + 3] += p * vx + q * vy + r * vz;
  }
}

/** I + a·[ω] + b·[ω]², row-major. */
function series(x: number, y: number, z: number, a: number, b: number): Float64Array {
  return Float64Array.of(
    1 - b * (y * y + z * z),
    b * x * y - a * z,
    b * x * z + a * y,
    b * x * y + a * z,
    1 - b * (x * x + z * z),
    b * y * z - a * x,
    b * x * z - a * y,
    b * y * z + a * x,
    1 - b * (x * x + y * y),
  );
}

/** Gram and Schmidt on the rotation's rows, so that rounding does not add up over many steps. */
function orthonormalize(pose: Float32Array): void {
  const [a, b, c, , d, e, f] = pose;
  const first = Math.hypot(a, b, c);
  const [ux, uy, uz] = [a / first, b / first, c / first];
  const along = ux * d + uy * e + uz * f;
  const [px, py, pz] = [d - along * ux, e - along * uy, f - along * uz];
  const second = Math.hypot(px, py, pz);
  const [vx, vy, vz] = [px / second, py / second, pz / second];
  pose.set([ux, uy, uz]);
  pose.set([vx, vy, vz], 4);
  pose.set([uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx], 8);
}
