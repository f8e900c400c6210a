/** The uniforms of kernel.ts. */
export interface PoseUpdateParams {
  readonly images: number;
  readonly radius: number;
  readonly max_angle: number;
}

/** The buffers of kernel.ts. */
export interface PoseUpdateBuffers {
  readonly poses: Float32Array;
  readonly translations: Float32Array;
  readonly rotations: Float32Array;
  readonly updated: Float32Array;
}

/** CPU twin of pose-update.wgsl. */
export function poseUpdateCpu(
  { poses, translations, rotations, updated }: PoseUpdateBuffers,
  { images, radius, max_angle }: PoseUpdateParams,
): void {
  for (let image = 0; image < images; image++) {
    const at = image * 16;
    const [x, y, z] = [0, 1, 2].map((axis) => Math.tanh(rotations[image * 3 + axis]) * max_angle);
    const square = x * x + y * y + z * z;
    // sin(a)/a and (1 − cos(a))/a².
    const s = 1 - (square / 6) * (1 - (square / 20) * (1 - (square / 42) * (1 - square / 72)));
    const c =
      0.5 * (1 - (square / 12) * (1 - (square / 30) * (1 - (square / 56) * (1 - square / 90))));
    for (let column = 0; column < 3; column++) {
      const [a, b, d] = [poses[at + column], poses[at + 4 + column], poses[at + 8 + column]];
      // Rodrigues' formula for −w on a column r: r − s·(w × r) + c·(w × (w × r)).
      const p = y * d - z * b;
      const q = z * a - x * d;
      const r = x * b - y * a;
      updated[at + column] = a - s * p + c * (y * r - z * q);
      updated[at + 4 + column] = b - s * q + c * (z * p - x * r);
      updated[at + 8 + column] = d - s * r + c * (x * q - y * p);
    }
    for (let row = 0; row < 3; row++) {
      const place = at + row * 4 + 3;
      updated[place] = poses[place] + translations[image * 3 + row] * radius;
    }
    updated.set([0, 0, 0, 1], at + 12);
  }
}
