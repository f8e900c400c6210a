import { joinTextures } from './atlas.ts';
import type { Mesh, MeshLimits, MeshPart } from './mesh.ts';

/** As FoundationPose draws what has no colour. */
const GREY = 128;

/** All of a mesh but its measures, in the units of its file. */
export type MeshArrays = Pick<Mesh, 'positions' | 'indices' | 'colors' | 'uvs' | 'texture'>;

/**
 * One mesh out of parts. With a texture on any of them the mesh has one, in which parts without
 * have a spot of their mean colour; else vertex colours when any part has a colour, grey for the
 * others; else neither.
 *
 * @throws {MediaError} 422 when textures together have too many pixels.
 */
export function assembleMesh(parts: readonly MeshPart[], limits: MeshLimits): MeshArrays {
  const shape = joinShapes(parts);
  if (parts.some(({ texture }) => texture)) {
    return { ...shape, colors: null, ...joinTextures(parts, limits) };
  }
  const hasColors = parts.some(({ colors, color }) => colors || color);
  return { ...shape, colors: hasColors ? joinColors(parts) : null, uvs: null, texture: null };
}

function joinShapes(parts: readonly MeshPart[]): Pick<MeshArrays, 'positions' | 'indices'> {
  const [first] = parts;
  if (parts.length === 1) return { positions: first.positions, indices: first.indices };
  const count = (key: 'positions' | 'indices') =>
    parts.reduce((sum, part) => sum + part[key].length, 0);
  const positions = new Float32Array(count('positions'));
  const indices = new Uint32Array(count('indices'));
  let vertex = 0;
  let corner = 0;
  for (const part of parts) {
    positions.set(part.positions, vertex * 3);
    for (let at = 0; at < part.indices.length; at++) indices[corner++] = part.indices[at] + vertex;
    vertex += part.positions.length / 3;
  }
  return { positions, indices };
}

function joinColors(parts: readonly MeshPart[]): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.positions.length, 0);
  const joined = new Uint8Array(length).fill(GREY);
  let at = 0;
  for (const { positions, colors, color } of parts) {
    if (colors) joined.set(colors, at);
    else if (color) for (let i = 0; i < positions.length; i++) joined[at + i] = color[i % 3];
    at += positions.length;
  }
  return joined;
}
