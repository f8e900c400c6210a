import type { GLTF } from '@gltf-transform/core';
import type { MeshLimits } from './mesh.ts';
import { checkTriangles, checkVertices, quote, refuseMesh } from './refuse.ts';

/** The parser makes objects of a kilobyte or so of each entry. */
const MAX_ENTRIES = 20_000;

const LISTS = [
  'accessors',
  'bufferViews',
  'buffers',
  'images',
  'materials',
  'meshes',
  'nodes',
  'textures',
] as const;

/** Required extensions that change nothing of what is read here, or that are read. */
const KNOWN_EXTENSIONS = ['KHR_mesh_quantization', 'KHR_texture_transform'];
const LOOKS_ONLY = /^KHR_materials_/;

const COMPONENT_BYTES: Readonly<Record<number, number>> = {
  5120: 1,
  5121: 1,
  5122: 2,
  5123: 2,
  5125: 4,
  5126: 4,
};
const COMPONENTS: Readonly<Record<string, number>> = {
  SCALAR: 1,
  VEC2: 2,
  VEC3: 3,
  VEC4: 4,
  MAT2: 4,
  MAT3: 9,
  MAT4: 16,
};

/** A node of the scene. */
interface GltfNode {
  readonly index: number;
  /** The index of the node above; null for a root. */
  readonly parent: number | null;
}

/**
 * What the glTF parser trusts, looked at before it takes memory: external files, required
 * extensions, numbers of entries, ranges of bytes.
 *
 * @param bufferBytes The size of each buffer.
 * @throws {MediaError} 422.
 */
export function checkGltf(
  json: GLTF.IGLTF,
  bufferBytes: readonly number[],
  limits: MeshLimits,
): void {
  const { field } = limits;
  if (json.asset?.version !== '2.0') {
    refuseMesh(field, `is glTF ${quote(String(json.asset?.version))}; expected version 2.0`);
  }
  checkExtensions(json, field);
  for (const list of LISTS) checkEntries(json[list]?.length ?? 0, list, field);
  const primitives = json.meshes?.reduce((sum, mesh) => sum + mesh.primitives.length, 0) ?? 0;
  checkEntries(primitives, 'primitives', field);
  // In a tree each node is below one other, or shown by the scene.
  let links = json.scenes?.[json.scene ?? 0]?.nodes?.length ?? 0;
  for (const node of json.nodes ?? []) links += node.children?.length ?? 0;
  checkEntries(links, 'links between nodes', field);
  const views = json.bufferViews ?? [];
  views.forEach(({ buffer, byteOffset = 0, byteLength }, index) => {
    requireRange(`bufferView ${index}`, byteOffset, byteLength, bufferBytes[buffer], field);
  });
  // Accessors and images may share bytes, but each gets memory of its own.
  let total = 0;
  (json.accessors ?? []).forEach((accessor, index) => {
    total += checkAccessor(accessor, index, views, field);
  });
  for (const { bufferView } of json.images ?? []) {
    if (bufferView !== undefined) total += views[bufferView]?.byteLength ?? 0;
  }
  if (total <= 2 * limits.maxBytes) return;
  const most = `at most ${2 * limits.maxBytes} are taken`;
  refuseMesh(field, `unfolds to ${total} bytes of vertices and pictures; ${most}`);
}

function checkEntries(count: number, of: string, field: string): void {
  if (count <= MAX_ENTRIES) return;
  refuseMesh(field, `has ${count} ${of}; at most ${MAX_ENTRIES} are taken. Merge its parts`);
}

/** @throws {MediaError} 422 for a file that names other files: they aren't fetched. */
export function checkEmbedded(json: GLTF.IGLTF, field: string): void {
  for (const { uri } of [...(json.buffers ?? []), ...(json.images ?? [])]) {
    if (uri === undefined || /^data:/i.test(uri)) continue;
    const expected = 'expected everything in one file. Export it as GLB';
    refuseMesh(field, `is glTF that refers to ${quote(uri)}; ${expected}`);
  }
}

function checkExtensions(json: GLTF.IGLTF, field: string): void {
  for (const name of json.extensionsRequired ?? []) {
    if (KNOWN_EXTENSIONS.includes(name) || LOOKS_ONLY.test(name)) continue;
    const advice = 'Export it without compression or other extensions';
    refuseMesh(field, `requires the glTF extension ${quote(name)}, which isn't read. ${advice}`);
  }
}

/** Its size once unpacked. */
function checkAccessor(
  accessor: GLTF.IAccessor,
  index: number,
  views: readonly GLTF.IBufferView[],
  field: string,
): number {
  const { componentType, type, count, bufferView, byteOffset = 0 } = accessor;
  const itemBytes = COMPONENT_BYTES[componentType] * COMPONENTS[type];
  const name = `accessor ${index}`;
  if (!(itemBytes > 0 && Number.isInteger(count) && count >= 0)) {
    refuseMesh(field, `has ${name} of a type or count that glTF doesn't know`);
  }
  if (bufferView !== undefined) {
    const view = views[bufferView];
    const stride = view?.byteStride ?? itemBytes;
    const length = count === 0 ? 0 : stride * (count - 1) + itemBytes;
    requireRange(name, byteOffset, length, view?.byteLength, field);
  }
  const { sparse } = accessor;
  if (sparse) {
    const { indices, values } = sparse;
    const indexBytes = sparse.count * COMPONENT_BYTES[indices.componentType];
    const valueBytes = sparse.count * itemBytes;
    const at = views[indices.bufferView]?.byteLength;
    requireRange(name, indices.byteOffset ?? 0, indexBytes, at, field);
    const valuesAt = views[values.bufferView]?.byteLength;
    requireRange(name, values.byteOffset ?? 0, valueBytes, valuesAt, field);
  }
  return itemBytes * count;
}

function requireRange(
  what: string,
  offset: number,
  length: number,
  available: number | undefined,
  field: string,
): void {
  const whole = Number.isInteger(offset) && offset >= 0 && Number.isInteger(length) && length >= 0;
  if (whole && available !== undefined && offset + length <= available) return;
  const given = `has ${what} with ${length} bytes from byte ${offset}`;
  refuseMesh(field, `${given}, where there are ${available ?? 0}. It may have been cut`);
}

/**
 * The nodes of the scene that is shown, each after the one above it; without scenes all nodes.
 *
 * @throws {MediaError} 422 when a node is missing or shown twice, or there are too many triangles,
 *   counted as often as they are shown.
 */
export function listNodes(json: GLTF.IGLTF, limits: MeshLimits): GltfNode[] {
  const nodes = json.nodes ?? [];
  const scene = json.scenes?.[json.scene ?? 0];
  const children = new Set(nodes.flatMap((node) => node.children ?? []));
  const all = nodes.map((_, index) => index);
  const roots = scene ? (scene.nodes ?? []) : all.filter((index) => !children.has(index));
  const listed: GltfNode[] = [];
  const seen = new Set<number>();
  const open: GltfNode[] = roots.map((index) => ({ index, parent: null })).reverse();
  for (let next = open.pop(); next; next = open.pop()) {
    const { index } = next;
    if (!nodes[index] || seen.has(index)) {
      const expected = 'expected a tree of nodes';
      refuseMesh(limits.field, `shows node ${index}, which is missing or shown twice; ${expected}`);
    }
    seen.add(index);
    listed.push(next);
    for (const child of (nodes[index].children ?? []).toReversed()) {
      open.push({ index: child, parent: index });
    }
  }
  countTriangles(json, listed, limits);
  return listed;
}

function countTriangles(json: GLTF.IGLTF, nodes: readonly GltfNode[], limits: MeshLimits): void {
  const accessors = json.accessors ?? [];
  let triangles = 0;
  let vertices = 0;
  let primitives = 0;
  for (const { index } of nodes) {
    const mesh = json.meshes?.[json.nodes?.[index].mesh ?? -1];
    for (const { attributes, indices, mode = 4 } of mesh?.primitives ?? []) {
      primitives++;
      const positions = accessors[attributes?.POSITION]?.count ?? 0;
      const corners = indices === undefined ? positions : (accessors[indices]?.count ?? 0);
      vertices += positions;
      if (mode === 4) triangles += Math.floor(corners / 3);
      else if (mode > 4) triangles += Math.max(0, corners - 2);
    }
  }
  checkTriangles(triangles, limits);
  checkVertices(vertices, limits);
  checkEntries(primitives, 'parts', limits.field);
}
