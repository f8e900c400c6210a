/**
 * Unit normals of vertices: the mean of their faces' normals, weighted by the faces' angles there
 * (Thürmer and Wüthrich 1998), which does not depend on how a surface is cut into triangles. They
 * point to the side from which the triangles run anticlockwise.
 *
 * @returns float32 [V, 3]; 0 for a vertex whose faces have no area or cancel out
 */
export function vertexNormals(
  positions: Float32Array,
  indices: Uint32Array,
): Float32Array<ArrayBuffer> {
  const sums = new Float64Array(positions.length);
  for (let at = 0; at < indices.length; at += 3) {
    addFace(sums, positions, indices[at] * 3, indices[at + 1] * 3, indices[at + 2] * 3);
  }
  const normals = new Float32Array(positions.length);
  for (let at = 0; at < sums.length; at += 3) {
    const length = Math.sqrt(sums[at] ** 2 + sums[at + 1] ** 2 + sums[at + 2] ** 2);
    if (length === 0) continue;
    for (let axis = at; axis < at + 3; axis++) normals[axis] = sums[axis] / length;
  }
  return normals;
}

/** Adds the unit normal of the face (a, b, c), by its angles, to its three vertices' sums. */
function addFace(sums: Float64Array, p: Float32Array, a: number, b: number, c: number): void {
  const abX = p[b] - p[a];
  const abY = p[b + 1] - p[a + 1];
  const abZ = p[b + 2] - p[a + 2];
  const acX = p[c] - p[a];
  const acY = p[c + 1] - p[a + 1];
  const acZ = p[c + 2] - p[a + 2];
  const x = abY * acZ - abZ * acY;
  const y = abZ * acX - abX * acZ;
  const z = abX * acY - abY * acX;
  // Twice the area: the sine of each angle times the sides that meet there.
  const area = Math.sqrt(x * x + y * y + z * z);
  if (area === 0) return;
  const ab = abX * abX + abY * abY + abZ * abZ;
  const ac = acX * acX + acY * acY + acZ * acZ;
  const between = abX * acX + abY * acY + abZ * acZ;
  const angleA = Math.atan2(area, between);
  const angleB = Math.atan2(area, ab - between);
  const angleC = Math.atan2(area, ac - between);
  addScaled(sums, a, x, y, z, angleA / area);
  addScaled(sums, b, x, y, z, angleB / area);
  addScaled(sums, c, x, y, z, angleC / area);
}

function addScaled(
  sums: Float64Array,
  at: number,
  x: number,
  y: number,
  z: number,
  scale: number,
): void {
  sums[at] += x * scale;
  sums[at + 1] += y * scale;
  sums[at + 2] += z * scale;
}
