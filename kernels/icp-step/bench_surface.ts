/** What the benchmarks of refinement run on. */

/** Points and normals of a wavy wall half a metre away; row-major [height, width, 3]. */
export function benchSurface(width: number, height: number) {
  const xyz = new Float32Array(width * height * 3);
  const normals = new Float32Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const [u, v] = [pixel % width, Math.floor(pixel / width)];
    const z = 0.5 + 0.01 * Math.sin(u / 9) * Math.cos(v / 7);
    const [x, y] = [((u - width / 2) / 525) * z, ((v - height / 2) / 525) * z];
    xyz.set([x, y, z], pixel * 3);
    normals.set([0.6 * Math.sin(u / 9), 0, -0.8], pixel * 3);
  }
  return { xyz, normals };
}
