/** The uniforms of kernel.ts. */
export interface IcpStepParams {
  readonly poses: number;
  readonly sets: number;
  readonly points: number;
  readonly width: number;
  readonly height: number;
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
  readonly max_distance: number;
  readonly min_cosine: number;
}

/** The buffers of kernel.ts. */
export interface IcpStepBuffers {
  readonly points: Float32Array;
  readonly normals: Float32Array;
  readonly frames: Float32Array;
  readonly poses: Float32Array;
  readonly observed: Float32Array;
  readonly observedNormals: Float32Array;
  readonly sums: Float32Array;
}

/** Sums of a pose: 21 of A's upper triangle, 6 of b, the squared residuals, the count. */
const SUMS = 29;

/** CPU twin of icp-step.wgsl. */
export function icpStepCpu(buffers: IcpStepBuffers, params: IcpStepParams): void {
  const totals = new Float64Array(SUMS);
  for (let pose = 0; pose < params.poses; pose++) {
    totals.fill(0);
    addPose(totals, buffers, pose, params);
    buffers.sums.set(totals, pose * SUMS);
  }
}

function addPose(
  totals: Float64Array,
  buffers: IcpStepBuffers,
  pose: number,
  params: IcpStepParams,
): void {
  const { points, normals, observed, observedNormals } = buffers;
  const { width, height, fx, fy, cx, cy } = params;
  const set = pose % params.sets;
  const { turn, from, to } = motion(buffers, set, pose);
  const [r0, r1, r2, r3, r4, r5, r6, r7, r8] = turn;
  const [fromX, fromY, fromZ] = from;
  const [toX, toY, toZ] = to;
  const farthest = Math.fround(params.max_distance) ** 2;
  const row = new Float64Array(6);
  const end = (set + 1) * params.points * 3;
  for (let at = set * params.points * 3; at < end; at += 3) {
    const mx = normals[at];
    const my = normals[at + 1];
    const mz = normals[at + 2];
    const px = points[at] - fromX;
    const py = points[at + 1] - fromY;
    const pz = points[at + 2] - fromZ;
    const armX = r0 * px + r1 * py + r2 * pz;
    const armY = r3 * px + r4 * py + r5 * pz;
    const armZ = r6 * px + r7 * py + r8 * pz;
    const z = armZ + toZ;
    const facingX = r0 * mx + r1 * my + r2 * mz;
    const facingY = r3 * mx + r4 * my + r5 * mz;
    const facingZ = r6 * mx + r7 * my + r8 * mz;
    // A rendered pixel without a surface has no normal; what faces away is hidden.
    const along = facingX * (armX + toX) + facingY * (armY + toY) + facingZ * z;
    if (!(z > 0) || !(along < 0)) continue;
    const u = Math.floor((fx * (armX + toX)) / z + cx + 0.5);
    const v = Math.floor((fy * (armY + toY)) / z + cy + 0.5);
    if (!(u >= 0 && v >= 0 && u < width && v < height)) continue;
    const there = (v * width + u) * 3;
    if (!(observed[there + 2] > 0)) continue;
    const dx = observed[there] - armX - toX;
    const dy = observed[there + 1] - armY - toY;
    const dz = observed[there + 2] - z;
    if (!(dx * dx + dy * dy + dz * dz <= farthest)) continue;
    const nx = observedNormals[there];
    const ny = observedNormals[there + 1];
    const nz = observedNormals[there + 2];
    if (nx === 0 && ny === 0 && nz === 0) continue;
    if (!(nx * facingX + ny * facingY + nz * facingZ >= params.min_cosine)) continue;
    row[0] = armY * nz - armZ * ny;
    row[1] = armZ * nx - armX * nz;
    row[2] = armX * ny - armY * nx;
    row[3] = nx;
    row[4] = ny;
    row[5] = nz;
    addRow(totals, row, nx * dx + ny * dy + nz * dz);
  }
}

function addRow(totals: Float64Array, row: Float64Array, residual: number): void {
  for (let i = 0, cell = 0; i < 6; i++) {
    const value = row[i];
    for (let j = i; j < 6; j++, cell++) totals[cell] += value * row[j];
    totals[21 + i] += value * residual;
  }
  totals[27] += residual * residual;
  totals[28] += 1;
}

/** Of frame → object → camera: the rotation, row by row, and both translations. */
function motion({ frames, poses }: IcpStepBuffers, set: number, pose: number) {
  const f = frames.subarray(set * 16, set * 16 + 16);
  const p = poses.subarray(pose * 16, pose * 16 + 16);
  const turn = new Float64Array(9);
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < 3; column++) {
      const at = column * 4;
      turn[row * 3 + column] =
        p[row * 4] * f[at] + p[row * 4 + 1] * f[at + 1] + p[row * 4 + 2] * f[at + 2];
    }
  }
  return { turn, from: [f[3], f[7], f[11]], to: [p[3], p[7], p[11]] };
}
