import type { RgbImage } from '../image.ts';
import { takeRows, weldCorners } from './corners.ts';
import type { MeshLimits, MeshPart } from './mesh.ts';
import { PlyFaces } from './ply_faces.ts';
import { type PlyHeader, readPlyHeader } from './ply_header.ts';
import { texturePly } from './ply_texture.ts';
import { checkPlyCount, openPlyValues, type PlyItems, readPlyItems } from './ply_values.ts';
import { PlyVertices } from './ply_vertices.ts';
import { checkFinite, checkIndices, checkTriangles, checkVertices, refuseMesh } from './refuse.ts';

/**
 * Reads a PLY file: ASCII, little or big endian; polygons of any size, split as fans; colours and
 * texture coordinates of vertices or of faces. Normals and everything else are passed over.
 *
 * Own code, because the kept readers (three's and its port in loaders.gl) drop polygons of more
 * than four corners and the rest of a file that was cut without a word.
 *
 * @throws {MediaError} 422.
 */
export function readPly(bytes: Uint8Array, limits: MeshLimits, texture: RgbImage | null): MeshPart {
  const { field } = limits;
  const header = readPlyHeader(bytes, field);
  checkDeclared(header, limits);
  const place = { element: '', item: 0 };
  const values = openPlyValues(bytes, header, place, field);
  let vertices: PlyVertices | null = null;
  let faces: PlyFaces | null = null;
  for (const element of header.elements) {
    if (element.properties.length === 0) continue;
    checkPlyCount(element, header.format, values, field);
    let items: PlyItems | null = null;
    if (element.name === 'vertex') items = vertices = new PlyVertices(element, field);
    else if (element.name === 'face') items = faces = new PlyFaces(element, limits);
    readPlyItems(element, values, items, place, limits);
  }
  if (!vertices) refuseMesh(field, "is a PLY file without a 'vertex' element");
  if (!faces) refuseMesh(field, `${noFaces(header)}; expected a 'face' element`);
  checkFinite(vertices.positions, field);
  return toPart(vertices, faces, limits, texture);
}

function checkDeclared(header: PlyHeader, limits: MeshLimits): void {
  for (const { name, count } of header.elements) {
    if (name === 'vertex') checkVertices(count, limits);
    if (name === 'face') checkTriangles(count, limits);
  }
}

function noFaces(header: PlyHeader): string {
  const strips = header.elements.some(({ name }) => name === 'tristrips');
  return strips ? 'has triangle strips' : 'has no faces, only points';
}

function toPart(
  vertices: PlyVertices,
  faces: PlyFaces,
  limits: MeshLimits,
  texture: RgbImage | null,
): MeshPart {
  const indices = faces.finish();
  checkIndices(indices, vertices.positions.length / 3, limits.field);
  const textured = texturePly(vertices, faces, texture, limits);
  const faceColors = textured || vertices.colors ? null : faces.colors();
  const keys = textured?.faceKeys ?? (faceColors ? [faceColors] : null);
  if (!keys) {
    const { positions, colors } = vertices;
    const look = { uvs: textured?.uvs ?? null, texture, color: null };
    return { positions, indices, colors: textured ? null : colors, ...look };
  }
  const welded = weldCorners([indices, ...keys]);
  const source = welded.source.map((corner) => indices[corner]);
  const positions = takeRows(vertices.positions, 3, source);
  const colors = faceColors && unpackColors(faceColors, welded.source);
  const uvs = textured ? takeRows(textured.uvs, 2, welded.source) : null;
  return { positions, indices: welded.indices, colors, uvs, texture, color: null };
}

/** 0xRRGGBB of the named corners, as bytes. */
function unpackColors(packed: Uint32Array, corners: Uint32Array): Uint8Array<ArrayBuffer> {
  const colors = new Uint8Array(corners.length * 3);
  corners.forEach((corner, vertex) => {
    colors[vertex * 3] = packed[corner] >>> 16;
    colors[vertex * 3 + 1] = packed[corner] >>> 8;
    colors[vertex * 3 + 2] = packed[corner];
  });
  return colors;
}
