/** test/fixtures/mesh: small meshes, and what trimesh reads from them. */
import { join } from 'node:path';
import { loadMesh } from './load.ts';
import type { Mesh, MeshOptions } from './mesh.ts';

export const FIXTURES = join(import.meta.dir, '../../../test/fixtures/mesh');

/** Metres, square metres, cubic metres. */
interface Measures {
  readonly vertices: number;
  readonly faces: number;
  readonly diameter: number;
  readonly center: readonly number[];
  readonly extents: readonly number[];
  readonly area: number;
  /** Null for an open mesh and one with turned faces. */
  readonly volume: number | null;
}

/** Base64; triangles float32 [F, 3, 3], uvs float32 [F, 3, 2], colors uint8 [F, 3, 3]. */
interface ExpectedMesh extends Measures {
  readonly triangles: string;
  readonly uvs?: string;
  readonly colors?: string;
}

interface Expected {
  readonly meshes: Readonly<Record<string, ExpectedMesh>>;
  readonly real: Readonly<Record<string, Measures>>;
}

export const expected: Expected = await Bun.file(join(FIXTURES, 'trimesh.json')).json();

const LIMITS = { maxTriangles: 200_000, maxBytes: 32 * 2 ** 20 };

export function fixture(name: string): Promise<Uint8Array> {
  return Bun.file(join(FIXTURES, name)).bytes();
}

export function load(bytes: Uint8Array | string, options: Partial<MeshOptions> = {}) {
  const given = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes;
  return loadMesh(given, { ...LIMITS, ...options });
}

/** Of what may differ between readers, nothing is left: the order of triangles and corners. */
export type Triangle = string;

/** Each triangle as text, from its first corner in alphabetical order on, in alphabetical order. */
export function triangles(
  positions: ArrayLike<number>,
  looks: ArrayLike<number> = [],
  indices?: ArrayLike<number>,
): Triangle[] {
  const corners = indices?.length ?? positions.length / 3;
  const vertices = positions.length / 3;
  const width = looks.length / vertices;
  const text = (corner: number) => {
    const vertex = indices ? indices[corner] : corner;
    const row: string[] = [];
    for (let axis = 0; axis < 3; axis++) row.push(fixed(positions[vertex * 3 + axis]));
    for (let at = 0; at < width; at++) row.push(fixed(looks[vertex * width + at]));
    return row.join(' ');
  };
  const listed: Triangle[] = [];
  for (let at = 0; at < corners; at += 3) {
    const [a, b, c] = [text(at), text(at + 1), text(at + 2)];
    const [first] = [a, b, c].sort();
    const turned = first === a ? [a, b, c] : first === b ? [b, c, a] : [c, a, b];
    listed.push(turned.join(', '));
  }
  return listed.sort();
}

function fixed(value: number): string {
  const text = value.toFixed(5);
  return text === '-0.00000' ? '0.00000' : text;
}

export function unpackFloats(base64: string): Float32Array {
  return new Float32Array(Uint8Array.fromBase64(base64).buffer);
}

/** Area and volume, as trimesh has them, of a mesh's triangles. */
export function measure({ positions, indices }: Mesh): { area: number; volume: number } {
  let area = 0;
  let volume = 0;
  for (let at = 0; at < indices.length; at += 3) {
    const [a, b, c] = [0, 1, 2].map((corner) => {
      const vertex = indices[at + corner] * 3;
      return Array.from(positions.subarray(vertex, vertex + 3));
    });
    const u = b.map((value, axis) => value - a[axis]);
    const v = c.map((value, axis) => value - a[axis]);
    const cross = (p: number[], q: number[]) => [
      p[1] * q[2] - p[2] * q[1],
      p[2] * q[0] - p[0] * q[2],
      p[0] * q[1] - p[1] * q[0],
    ];
    area += Math.hypot(...cross(u, v)) / 2;
    volume += a.reduce((sum, value, axis) => sum + value * cross(b, c)[axis], 0) / 6;
  }
  return { area, volume };
}
