import type { Mesh } from '../media/mesh/mesh.ts';
import { vertexNormals } from './vertex_normals.ts';

/** What a mesh without colours and texture looks like: FoundationPose's grey. */
const GREY = 128;

/** A mesh in the layout of the kernel `render-poses`. */
interface RenderMesh {
  /** float32 [V, 9]: position, unit normal, RGB in [0, 1] or u, v, 0. */
  readonly vertices: Float32Array<ArrayBuffer>;
  /** uint32 [F, 3]. */
  readonly indices: Uint32Array<ArrayBuffer>;
  readonly faces: number;
  /** uint8 [height, width, 3]; three bytes that nobody reads where width is 0. */
  readonly texels: Uint8Array<ArrayBuffer>;
  readonly textureWidth: number;
  readonly textureHeight: number;
}

/**
 * Prepares a mesh for rendering. Its bounding box's centre becomes the origin, as FoundationPose has
 * it: a pose of the result maps from there, and `pose · T(−center)` maps the mesh's own coordinates.
 */
export function toRenderMesh(mesh: Mesh): RenderMesh {
  const { positions, indices, colors, uvs, texture, center } = mesh;
  const normals = vertexNormals(positions, indices);
  const count = positions.length / 3;
  const vertices = new Float32Array(count * 9);
  for (let vertex = 0; vertex < count; vertex++) {
    const to = vertex * 9;
    for (let axis = 0; axis < 3; axis++) {
      const from = vertex * 3 + axis;
      vertices[to + axis] = positions[from] - center[axis];
      vertices[to + 3 + axis] = normals[from];
      if (!uvs) vertices[to + 6 + axis] = (colors ? colors[from] : GREY) / 255;
    }
    if (!uvs) continue;
    vertices[to + 6] = uvs[vertex * 2];
    vertices[to + 7] = uvs[vertex * 2 + 1];
  }
  return {
    vertices,
    indices,
    faces: indices.length / 3,
    texels: texture?.data ?? new Uint8Array(3),
    textureWidth: texture?.width ?? 0,
    textureHeight: texture?.height ?? 0,
  };
}
