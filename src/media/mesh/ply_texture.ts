import type { RgbImage } from '../image.ts';
import type { MeshLimits } from './mesh.ts';
import type { PlyFaces } from './ply_faces.ts';
import type { PlyVertices } from './ply_vertices.ts';
import { refuseMesh } from './refuse.ts';

interface TexturedPly {
  /** Float32, v down; [V, 2], or [F, 3, 2] when there are `faceKeys`. */
  readonly uvs: Float32Array<ArrayBuffer>;
  /** The bits of the corners' coordinates, [F, 3] each; null when vertices have coordinates. */
  readonly faceKeys: readonly [Uint32Array, Uint32Array] | null;
}

/**
 * Where each vertex, or corner, of a PLY file lies on the texture; null without a texture.
 *
 * @throws {MediaError} 422 for a texture that nothing speaks of, and for several.
 */
export function texturePly(
  vertices: PlyVertices,
  faces: PlyFaces,
  texture: RgbImage | null,
  limits: MeshLimits,
): TexturedPly | null {
  if (!texture) return null;
  if (faces.textures.size > 1) {
    refuseMesh(limits.field, 'uses several textures; one can be sent with a PLY. Send a GLB');
  }
  const corners = faces.cornerTexture();
  const uvs = corners ?? vertices.uvs;
  if (!uvs) {
    const expected = "expected vertices with 's' and 't' or faces with 'texcoord'";
    const advice = `Leave ${limits.textureField} out or export the coordinates`;
    refuseMesh(limits.field, `has no texture coordinates; ${expected}. ${advice}`);
  }
  turnDown(uvs, limits.field);
  return { uvs, faceKeys: corners && bitsOf(corners) };
}

/** v counted from below, as in PLY and OBJ, to v counted from above. In place. */
export function turnDown(uvs: Float32Array, field: string): void {
  for (let at = 0; at < uvs.length; at += 2) {
    uvs[at + 1] = 1 - uvs[at + 1];
    if (!Number.isFinite(uvs[at]) || !Number.isFinite(uvs[at + 1])) {
      refuseMesh(field, 'has texture coordinates that are NaN or infinite');
    }
  }
}

function bitsOf(pairs: Float32Array): [Uint32Array, Uint32Array] {
  const bits = new Uint32Array(pairs.buffer, pairs.byteOffset, pairs.length);
  const u = new Uint32Array(bits.length / 2);
  const v = new Uint32Array(bits.length / 2);
  for (let corner = 0; corner < u.length; corner++) {
    u[corner] = bits[corner * 2];
    v[corner] = bits[corner * 2 + 1];
  }
  return [u, v];
}
