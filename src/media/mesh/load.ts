import { MediaError } from '../errors.ts';
import { decodeImage, type RgbImage } from '../image.ts';
import { assembleMesh } from './assemble.ts';
import { measureMesh } from './measure.ts';
import type { Mesh, MeshLimits, MeshOptions, MeshPart } from './mesh.ts';
import { type MeshFormat, sniffMeshFormat } from './mesh_format.ts';
import { readGltf } from './read_gltf.ts';
import { readMtl } from './read_mtl.ts';
import { readObj } from './read_obj.ts';
import { readPly } from './read_ply.ts';
import { refuseMesh } from './refuse.ts';

const MAX_TEXTURE_PIXELS = 2 ** 25;

/**
 * Reads a mesh: PLY (ASCII, binary of either byte order), Wavefront OBJ (with its MTL and one
 * texture) or glTF 2.0 (GLB, or JSON with everything embedded). The content says which.
 *
 * Polygons are split as fans from their first corner; several parts become one mesh; node
 * transforms are applied. See {@link Mesh} for frames, units and which colours are kept. A texture
 * hides vertex colours.
 *
 * Runs on the calling thread, textures aside: about a millisecond per thousand triangles.
 *
 * @param bytes Not changed; must stay untouched until it settles.
 * @throws {MediaError} 413 for a file above `maxBytes`. 422 for what isn't a mesh, is cut or broken,
 *   refers to other files; for NaN or infinite vertices, faces without a vertex, no faces, none with
 *   an area; for more triangles, vertices or texture pixels than are taken; for a texture or an MTL
 *   that the mesh can't use, or that can't be read.
 * @throws {RangeError} When `scale` isn't a finite number above 0.
 */
export async function loadMesh(bytes: Uint8Array, options: MeshOptions): Promise<Mesh> {
  const limits = toLimits(options);
  const { field, textureField, materialField } = limits;
  checkSize(bytes, limits.maxBytes, field);
  const format = sniffMeshFormat(bytes, options.name ?? null, field);
  if (limits.material) checkSize(limits.material, limits.maxBytes, materialField);
  checkCompany(format, limits);
  const texture = limits.texture && (await decodeTexture(limits.texture, limits, textureField));
  const parts = await readParts(bytes, format, limits, texture);
  const faces = parts.filter(({ indices }) => indices.length > 0);
  if (faces.length === 0) refuseMesh(field, `has no faces; expected a ${format} with triangles`);
  return measureMesh(assembleMesh(faces, limits), limits);
}

function toLimits(options: MeshOptions): MeshLimits {
  const { scale = 1, maxTexturePixels = MAX_TEXTURE_PIXELS, maxTriangles, maxBytes } = options;
  if (!(Number.isFinite(scale) && scale > 0)) {
    throw new RangeError(`scale is ${scale}; expected a finite number above 0`);
  }
  const { field = 'mesh', textureField = 'texture', materialField = 'material' } = options;
  const files = { texture: options.texture ?? null, material: options.material ?? null };
  const bounds = { maxTriangles, maxBytes, maxTexturePixels, scale };
  return { ...bounds, ...files, field, textureField, materialField };
}

function checkSize(bytes: Uint8Array, maxBytes: number, field: string): void {
  const size = bytes.byteLength;
  if (size === 0) throw new MediaError(422, `${field} is empty; expected a file.`, field);
  if (size <= maxBytes) return;
  throw new MediaError(413, `${field} has ${size} bytes; at most ${maxBytes} are taken.`, field);
}

/** Files that the mesh can't use are refused: dropped in silence they would be a riddle. */
function checkCompany(format: MeshFormat, limits: MeshLimits): void {
  const isGltf = format === 'GLB' || format === 'glTF';
  if (limits.texture && isGltf) {
    refuseMesh(limits.textureField, `can't go with a ${format}; expected it inside the file`);
  }
  if (limits.material && format !== 'OBJ') {
    refuseMesh(limits.materialField, `can't go with a ${format}; an MTL file goes with an OBJ`);
  }
}

function decodeTexture(bytes: Uint8Array, limits: MeshLimits, field: string): Promise<RgbImage> {
  const { maxBytes, maxTexturePixels } = limits;
  return decodeImage(bytes, { maxBytes, maxPixels: maxTexturePixels, field });
}

async function readParts(
  bytes: Uint8Array,
  format: MeshFormat,
  limits: MeshLimits,
  texture: RgbImage | null,
): Promise<MeshPart[]> {
  switch (format) {
    case 'PLY':
      return [readPly(bytes, limits, texture)];
    case 'OBJ': {
      const { material, materialField } = limits;
      return readObj(bytes, limits, material && readMtl(material, materialField), texture);
    }
    case 'GLB':
    case 'glTF':
      return readGltf(bytes, format === 'GLB', limits);
  }
}
