/** The uniforms of kernel.ts. */
export interface XyzNormalsParams {
  readonly width: number;
  readonly height: number;
  readonly images: number;
  readonly radius: number;
  readonly max_difference: number;
}

/** Least sine between the two tangents: below it they span no plane. */
const MIN_SINE = 0.05;

/** CPU twin of xyz-normals.wgsl. */
export function xyzNormalsCpu(
  xyz: Float32Array,
  normals: Float32Array,
  params: XyzNormalsParams,
): void {
  const { width, height, images, radius } = params;
  const most = Math.fround(params.max_difference);
  normals.fill(0, 0, images * width * height * 3);
  for (let image = 0, at = 0; image < images; image++) {
    const first = at;
    for (let y = 0; y < height; y++) {
      const top = Math.max(y - radius, 0);
      const bottom = Math.min(y + radius, height - 1);
      for (let x = 0; x < width; x++, at += 3) {
        const z = xyz[at + 2];
        if (!(z > 0)) continue;
        const left = Math.max(x - radius, 0);
        const right = Math.min(x + radius, width - 1);
        let [ax, ay, az, dx, dy, dz] = [0, 0, 0, 0, 0, 0];
        for (let row = top; row <= bottom; row++) {
          let other = first + (row * width + left) * 3;
          for (let column = left; column <= right; column++, other += 3) {
            const oz = xyz[other + 2] - z;
            if (!(xyz[other + 2] > 0) || !(Math.abs(Math.fround(oz)) <= most)) continue;
            const ox = xyz[other] - xyz[at];
            const oy = xyz[other + 1] - xyz[at + 1];
            ax += (column - x) * ox;
            ay += (column - x) * oy;
            az += (column - x) * oz;
            dx += (row - y) * ox;
            dy += (row - y) * oy;
            dz += (row - y) * oz;
          }
        }
        const nx = dy * az - dz * ay;
        const ny = dz * ax - dx * az;
        const nz = dx * ay - dy * ax;
        const size = Math.sqrt(nx * nx + ny * ny + nz * nz);
        const squares = (ax * ax + ay * ay + az * az) * (dx * dx + dy * dy + dz * dz);
        if (!(size > MIN_SINE * Math.sqrt(squares))) continue;
        const isAway = nx * xyz[at] + ny * xyz[at + 1] + nz * z > 0;
        const scale = (isAway ? -1 : 1) / size;
        normals[at] = nx * scale;
        normals[at + 1] = ny * scale;
        normals[at + 2] = nz * scale;
      }
    }
  }
}
