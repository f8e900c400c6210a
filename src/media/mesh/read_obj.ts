import type { RgbImage } from '../image.ts';
import { takeRows, weldCorners } from './corners.ts';
import type { Growing } from './growing.ts';
import type { MeshLimits, MeshPart } from './mesh.ts';
import { ObjLines } from './obj_lines.ts';
import { type ObjCorners, ObjLooks } from './obj_looks.ts';
import { turnDown } from './ply_texture.ts';
import type { MtlMaterial } from './read_mtl.ts';
import { checkFinite, refuseMesh } from './refuse.ts';

/**
 * Reads a Wavefront OBJ file: polygons of any size, split as fans; indices from either end; vertex
 * colours after the coordinates. Positions and texture coordinates, which have indices of their
 * own, become vertices that have both. Normals, lines, points and groups are passed over.
 *
 * Own code, because the kept readers (three's, loaders.gl's) make NaN of indices out of range and
 * of lines that are no numbers, give three vertices a triangle, and print what they don't know.
 *
 * @param materials Of its MTL file, or null.
 * @param texture The picture for the faces whose material has one; without materials for all.
 * @returns A part for each look that has faces.
 * @throws {MediaError} 422.
 */
export function readObj(
  bytes: Uint8Array,
  limits: MeshLimits,
  materials: ReadonlyMap<string, MtlMaterial> | null,
  texture: RgbImage | null,
): MeshPart[] {
  const { field } = limits;
  const looks = new ObjLooks(materials, texture !== null);
  const lines = new ObjLines(bytes, limits, looks);
  lines.read();
  const positions = lines.positions.finish();
  checkFinite(positions, field);
  const colors = lines.colors && toBytes(lines.colors, positions.length);
  const uvs = lines.uvs.finish();
  turnDown(uvs, field);
  if (texture && uvs.length === 0) {
    const advice = `Leave ${limits.textureField} out or export the coordinates`;
    refuseMesh(field, `has no texture coordinates; expected 'vt' lines. ${advice}`);
  }
  return looks.used().map((corners) => toPart(corners, { positions, colors, uvs }, texture));
}

interface ObjArrays {
  readonly positions: Float32Array<ArrayBuffer>;
  readonly colors: Uint8Array<ArrayBuffer> | null;
  readonly uvs: Float32Array<ArrayBuffer>;
}

function toPart(corners: ObjCorners, arrays: ObjArrays, texture: RgbImage | null): MeshPart {
  const vertexOf = corners.vertices.finish();
  const uvOf = corners.uvs?.finish() ?? null;
  const { indices, source } = weldCorners(uvOf ? [vertexOf, uvOf] : [vertexOf]);
  const rows = source.map((corner) => vertexOf[corner]);
  return {
    positions: takeRows(arrays.positions, 3, rows),
    indices,
    colors: arrays.colors && !uvOf ? takeRows(arrays.colors, 3, rows) : null,
    uvs:
      uvOf &&
      takeRows(
        arrays.uvs,
        2,
        source.map((corner) => uvOf[corner]),
      ),
    texture: uvOf ? texture : null,
    color: corners.color,
  };
}

/** Most programs write colours from 0 to 1, a few from 0 to 255. Vertices without one are grey. */
function toBytes(colors: Growing<Float32Array<ArrayBuffer>>, length: number) {
  while (colors.length < length) colors.push(Number.NaN);
  const values = colors.finish();
  const scale = values.some((value) => value > 1) ? 1 : 255;
  const bytes = new Uint8Array(length).fill(128);
  values.forEach((value, at) => {
    if (!Number.isNaN(value)) bytes[at] = Math.min(Math.max(Math.round(value * scale), 0), 255);
  });
  return bytes;
}
