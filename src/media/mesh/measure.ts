import type { MeshArrays } from './assemble.ts';
import { takeRows } from './corners.ts';
import { largestDistance } from './diameter.ts';
import type { Mesh, MeshLimits } from './mesh.ts';
import { refuseMesh } from './refuse.ts';

/**
 * The largest triangle has at least this area, over the square of the diameter; with less, what
 * there is of it is the rounding of float32.
 */
const LEAST_AREA = 1e-9;

type Point = readonly [number, number, number];

/**
 * The mesh in metres, without vertices that no triangle uses, measured.
 *
 * @throws {MediaError} 422 when there are no triangles, or none with an area; when a coordinate is
 *   too large, or all too small, for float32 metres.
 */
export function measureMesh(arrays: MeshArrays, limits: MeshLimits): Mesh {
  const { field, scale } = limits;
  if (arrays.indices.length === 0)
    refuseMesh(field, 'has no faces; expected a surface of triangles');
  const used = dropUnused(arrays);
  const { positions, indices } = used;
  for (let at = 0; at < positions.length; at++) positions[at] *= scale;
  if (!positions.every(Number.isFinite)) {
    refuseMesh(field, `goes beyond float32 when scaled by ${scale}; expected a scale to metres`);
  }
  const { min, max } = bounds(positions);
  const diameter = largestDistance(positions);
  if (!(largestArea(positions, indices) > LEAST_AREA * diameter ** 2)) {
    const given = 'has only degenerate triangles, in one line or one point';
    refuseMesh(field, `${given}; expected a surface`);
  }
  const center = min.map((low, axis) => (low + max[axis]) / 2) as [number, number, number];
  const extents = min.map((low, axis) => max[axis] - low) as [number, number, number];
  return { ...used, diameter, center, extents };
}

function dropUnused(arrays: MeshArrays): MeshArrays {
  const vertexCount = arrays.positions.length / 3;
  const isUsed = new Uint8Array(vertexCount);
  for (let at = 0; at < arrays.indices.length; at++) isUsed[arrays.indices[at]] = 1;
  const rows: number[] = [];
  const renumbered = new Uint32Array(vertexCount);
  for (let vertex = 0; vertex < vertexCount; vertex++) {
    if (isUsed[vertex]) renumbered[vertex] = rows.push(vertex) - 1;
  }
  if (rows.length === vertexCount) return arrays;
  const kept = Uint32Array.from(rows);
  return {
    positions: takeRows(arrays.positions, 3, kept),
    indices: arrays.indices.map((vertex) => renumbered[vertex]),
    colors: arrays.colors && takeRows(arrays.colors, 3, kept),
    uvs: arrays.uvs && takeRows(arrays.uvs, 2, kept),
    texture: arrays.texture,
  };
}

function bounds(positions: Float32Array): { min: Point; max: Point } {
  const min: [number, number, number] = [positions[0], positions[1], positions[2]];
  const max: [number, number, number] = [...min];
  for (let at = 0; at < positions.length; at += 3) {
    for (let axis = 0; axis < 3; axis++) {
      const value = positions[at + axis];
      if (value < min[axis]) min[axis] = value;
      if (value > max[axis]) max[axis] = value;
    }
  }
  return { min, max };
}

/** Of a triangle, half the length of the cross product of two sides. */
function largestArea(positions: Float32Array, indices: Uint32Array): number {
  let largest = 0;
  for (let at = 0; at < indices.length; at += 3) {
    const [a, b, c] = [indices[at] * 3, indices[at + 1] * 3, indices[at + 2] * 3];
    const ux = positions[b] - positions[a];
    const uy = positions[b + 1] - positions[a + 1];
    const uz = positions[b + 2] - positions[a + 2];
    const vx = positions[c] - positions[a];
    const vy = positions[c + 1] - positions[a + 1];
    const vz = positions[c + 2] - positions[a + 2];
    const [x, y, z] = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
    const squared = x * x + y * y + z * z;
    if (squared > largest) largest = squared;
  }
  return Math.sqrt(largest) / 2;
}
