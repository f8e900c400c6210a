import { MediaError } from '../errors.ts';
import type { MeshLimits } from './mesh.ts';

/** The caller's mesh is at fault: `what` follows the field's name. */
export function refuseMesh(field: string, what: string): never {
  throw new MediaError(422, `${field} ${what}.`, field);
}

/** Text of a stranger's file, fit for an error message. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

/** @throws {MediaError} 422 when there are more triangles than are taken. */
export function checkTriangles(count: number, { maxTriangles, field }: MeshLimits): void {
  if (count <= maxTriangles) return;
  const advice = 'simplify the mesh: tens of thousands are enough for a pose';
  refuseMesh(field, `has ${count} triangles; at most ${maxTriangles} are taken. So ${advice}`);
}

/**
 * Three vertices for each triangle are the most that can be of use.
 *
 * @throws {MediaError} 422 when there are more vertices than that.
 */
export function checkVertices(count: number, { maxTriangles, field }: MeshLimits): void {
  const most = 3 * maxTriangles;
  if (count <= most) return;
  const advice = 'simplify the mesh or remove unused vertices';
  refuseMesh(field, `has ${count} vertices; at most ${most} are taken. So ${advice}`);
}

/**
 * @param positions [V, 3].
 * @throws {MediaError} 422 naming the first vertex that is NaN or infinite.
 */
export function checkFinite(positions: Float32Array, field: string): void {
  const bad = positions.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  const vertex = Math.floor(bad / 3);
  const given = positions.subarray(vertex * 3, vertex * 3 + 3).join(', ');
  refuseMesh(field, `has vertex ${vertex} at (${given}); expected finite float32 coordinates`);
}

/**
 * @param indices [F, 3], counted from 0.
 * @throws {MediaError} 422 naming the first triangle that goes beyond the vertices.
 */
export function checkIndices(indices: Uint32Array, vertexCount: number, field: string): void {
  const bad = indices.findIndex((index) => index >= vertexCount);
  if (bad < 0) return;
  const given = `triangle ${Math.floor(bad / 3)} with vertex ${indices[bad]}`;
  const expected = vertexCount === 0 ? 'no vertices' : `vertices 0 to ${vertexCount - 1}`;
  refuseMesh(field, `has ${given}, but it has ${expected}. Export it again`);
}
