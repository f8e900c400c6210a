import { type Document, type GLTF, Logger, type Primitive, WebIO } from '@gltf-transform/core';
import { decodeBase64 } from '../base64.ts';
import { MediaError } from '../errors.ts';
import { checkEmbedded, checkGltf, listNodes } from './gltf_check.ts';
import { GltfMaterials } from './gltf_material.ts';
import type { MeshLimits, MeshPart } from './mesh.ts';
import { checkFinite, checkIndices, refuseMesh } from './refuse.ts';

const GLB_BUFFER = '@glb.bin';
const HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
const JSON_CHUNK = 0x4e4f534a;
const BINARY_CHUNK = 0x004e4942;
const TRIANGLES = 4;
const TRIANGLE_STRIP = 5;
const TRIANGLE_FAN = 6;
const IDENTITY = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] as const;

/** A glTF file taken apart, with all its bytes at hand. */
interface GltfFile {
  readonly json: GLTF.IGLTF;
  readonly resources: Record<string, Uint8Array<ArrayBuffer>>;
}

/**
 * Reads a glTF 2.0 file, binary or JSON, all in one file: the triangles of the scene that is
 * shown, moved by their nodes; base colours and their textures; vertex colours. Poses of skins and
 * morph targets are those of rest; lines and points are passed over.
 *
 * @returns A part for each primitive, as often as it is shown.
 * @throws {MediaError} 422.
 */
export async function readGltf(
  bytes: Uint8Array,
  isBinary: boolean,
  limits: MeshLimits,
): Promise<MeshPart[]> {
  const { field } = limits;
  const file = await guard(field, () => (isBinary ? openBinary : openText)(bytes, field));
  await guard(field, () => checkGltf(file.json, bufferSizes(file), limits));
  const shown = await guard(field, () => listNodes(file.json, limits));
  const document = await guard(field, () => parse(file));
  const nodes = document.getRoot().listNodes();
  const materials = new GltfMaterials(document, file.json, limits);
  const matrices = new Map<number | null, readonly number[]>();
  const parts: MeshPart[] = [];
  for (const { index, parent } of shown) {
    const matrix = multiply(matrices.get(parent) ?? IDENTITY, nodes[index].getMatrix());
    matrices.set(index, matrix);
    for (const primitive of nodes[index].getMesh()?.listPrimitives() ?? []) {
      const shape = readShape(primitive, matrix, field);
      if (shape) parts.push({ ...shape, ...(await materials.lookOf(primitive)) });
    }
  }
  return parts;
}

/** The parts that a still mesh needs; extensions were checked before. */
function parse({ json, resources }: GltfFile): Promise<Document> {
  const still: GLTF.IGLTF = {
    ...json,
    scene: undefined,
    scenes: [],
    animations: [],
    skins: [],
    cameras: [],
    extensionsUsed: [],
    extensionsRequired: [],
    nodes: json.nodes?.map(({ skin: _, camera: __, ...node }) => node),
    meshes: json.meshes?.map(withNeeded),
  };
  const io = new WebIO().setLogger(new Logger(Logger.Verbosity.SILENT));
  return io.readJSON({ json: still, resources });
}

const NEEDED = /^(?:POSITION|COLOR_0|TEXCOORD_\d)$/;

function withNeeded(mesh: GLTF.IMesh): GLTF.IMesh {
  const primitives = mesh.primitives.map(({ targets: _, attributes, ...primitive }) => {
    const needed = Object.entries(attributes).filter(([name]) => NEEDED.test(name));
    return { ...primitive, attributes: Object.fromEntries(needed) };
  });
  return { ...mesh, primitives };
}

/** Whatever a broken file does to JSON or the parser is the file's fault. */
async function guard<T>(field: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof MediaError || !(cause instanceof Error)) throw cause;
    if (/out of memory/i.test(cause.message)) throw cause;
    refuseMesh(field, `is broken glTF: ${cause.message.slice(0, 120).replace(/\.$/, '')}`);
  }
}

function openBinary(bytes: Uint8Array, field: string): GltfFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks = new Map<number, Uint8Array<ArrayBuffer>>();
  for (let at = HEADER_BYTES; at + CHUNK_HEADER_BYTES <= bytes.length; ) {
    const start = at + CHUNK_HEADER_BYTES;
    const length = view.getUint32(at, true);
    const type = view.getUint32(at + 4, true);
    if (start + length > bytes.length) {
      const there = `${bytes.length - start} bytes are left`;
      refuseMesh(field, `is a GLB with a chunk of ${length} bytes where ${there}. It has been cut`);
    }
    // A copy: the parser wants numbers to lie on their multiples, and never sees other bytes.
    if (!chunks.has(type)) chunks.set(type, bytes.slice(start, start + length));
    at = start + length;
  }
  const text = chunks.get(JSON_CHUNK);
  if (!text) refuseMesh(field, 'is a GLB without a JSON chunk. It may have been cut');
  const json = parseJson(text, field);
  const binary = chunks.get(BINARY_CHUNK);
  return {
    json,
    resources: { ...unpackUris(json, field), ...(binary && { [GLB_BUFFER]: binary }) },
  };
}

function openText(bytes: Uint8Array, field: string): GltfFile {
  const json = parseJson(bytes, field);
  return { json, resources: unpackUris(json, field) };
}

function parseJson(bytes: Uint8Array, field: string): GLTF.IGLTF {
  const json: GLTF.IGLTF = JSON.parse(new TextDecoder().decode(bytes));
  checkEmbedded(json, field);
  return json;
}

/** Data URLs become buffers of their own, under short names. */
function unpackUris(json: GLTF.IGLTF, field: string): Record<string, Uint8Array<ArrayBuffer>> {
  const resources: Record<string, Uint8Array<ArrayBuffer>> = {};
  let count = 0;
  for (const holder of [...(json.buffers ?? []), ...(json.images ?? [])]) {
    if (holder.uri === undefined) continue;
    const name = `embedded-${count++}`;
    resources[name] = decodeBase64(holder.uri, { maxBytes: Number.POSITIVE_INFINITY, field });
    holder.uri = name;
  }
  return resources;
}

function bufferSizes({ json, resources }: GltfFile): number[] {
  return (json.buffers ?? []).map(({ uri }) => resources[uri ?? GLB_BUFFER]?.length ?? 0);
}

interface Shape {
  readonly positions: Float32Array<ArrayBuffer>;
  readonly indices: Uint32Array<ArrayBuffer>;
}

function readShape(primitive: Primitive, matrix: readonly number[], field: string): Shape | null {
  const mode = primitive.getMode();
  const accessor = primitive.getAttribute('POSITION');
  if (mode < TRIANGLES || !accessor) return null;
  const positions = new Float32Array(accessor.getCount() * 3);
  const [x, y, z] = [0, 1, 2];
  const point: number[] = [];
  for (let vertex = 0; vertex < accessor.getCount(); vertex++) {
    accessor.getElement(vertex, point);
    for (let row = 0; row < 3; row++) {
      positions[vertex * 3 + row] =
        matrix[row] * point[x] +
        matrix[row + 4] * point[y] +
        matrix[row + 8] * point[z] +
        matrix[row + 12];
    }
  }
  checkFinite(positions, field);
  const listed = primitive.getIndices()?.getArray();
  const corners = Uint32Array.from(listed ?? positions.subarray(0, accessor.getCount()).keys());
  const indices = toTriangles(corners, mode);
  checkIndices(indices, accessor.getCount(), field);
  if (isMirror(matrix)) turnAround(indices);
  return { positions, indices };
}

/** Triangles out of a list, a strip (every other one turned) or a fan. */
function toTriangles(corners: Uint32Array<ArrayBuffer>, mode: number): Uint32Array<ArrayBuffer> {
  if (mode === TRIANGLES) return corners.slice(0, corners.length - (corners.length % 3));
  const triangles: number[] = [];
  for (let last = 2; last < corners.length; last++) {
    const odd = mode === TRIANGLE_STRIP ? last % 2 : 0;
    const first = mode === TRIANGLE_FAN ? 0 : last - 2 + odd;
    triangles.push(corners[first], corners[last - 1 - odd], corners[last]);
  }
  return Uint32Array.from(triangles);
}

/** Column-major 4x4. */
function multiply(a: readonly number[], b: readonly number[]): number[] {
  return b.map((_, at) => {
    const [row, column] = [at % 4, at - (at % 4)];
    let sum = 0;
    for (let k = 0; k < 4; k++) sum += a[row + 4 * k] * b[column + k];
    return sum;
  });
}

function isMirror(m: readonly number[]): boolean {
  const first = m[0] * (m[5] * m[10] - m[9] * m[6]);
  const second = m[4] * (m[1] * m[10] - m[9] * m[2]);
  const third = m[8] * (m[1] * m[6] - m[5] * m[2]);
  return first - second + third < 0;
}

function turnAround(indices: Uint32Array): void {
  for (let at = 0; at < indices.length; at += 3) {
    const kept = indices[at + 1];
    indices[at + 1] = indices[at + 2];
    indices[at + 2] = kept;
  }
}
