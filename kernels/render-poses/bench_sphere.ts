/** What the benchmarks of the pose kernels run on. */

/** A bumpy sphere of `rings`·2·`rings`·2 triangles, diameter about 0.2 m, with vertex colours. */
export function bumpySphere(rings: number): { vertices: Float32Array; indices: Uint32Array } {
  const around = rings * 2;
  const vertices: number[] = [];
  for (let ring = 0; ring <= rings; ring++) {
    for (let step = 0; step <= around; step++) {
      const [theta, phi] = [(Math.PI * ring) / rings, (2 * Math.PI * step) / around];
      const normal = [
        Math.sin(theta) * Math.cos(phi),
        Math.sin(theta) * Math.sin(phi),
        Math.cos(theta),
      ];
      const radius = 0.09 + 0.01 * Math.sin(5 * theta) * Math.cos(4 * phi);
      vertices.push(...normal.map((axis) => axis * radius), ...normal);
      vertices.push(ring / rings, step / around, 0.5);
    }
  }
  const indices: number[] = [];
  for (let ring = 0; ring < rings; ring++) {
    for (let step = 0; step < around; step++) {
      const first = ring * (around + 1) + step;
      const below = first + around + 1;
      indices.push(first, below, first + 1, first + 1, below, below + 1);
    }
  }
  return { vertices: Float32Array.from(vertices), indices: Uint32Array.from(indices) };
}

/** float32 [count, 4, 4]: turned about two axes, half a metre before the camera. */
export function benchPoses(count: number): Float32Array {
  const poses = new Float32Array(count * 16);
  for (let index = 0; index < count; index++) {
    const [a, b] = [index * 0.37, index * 1.13];
    const [ca, sa, cb, sb] = [Math.cos(a), Math.sin(a), Math.cos(b), Math.sin(b)];
    const rows = [ca, -sa * cb, sa * sb, 0.02, sa, ca * cb, -ca * sb, -0.01, 0, sb, cb, 0.5];
    poses.set([...rows, 0, 0, 0, 1], index * 16);
  }
  return poses;
}
