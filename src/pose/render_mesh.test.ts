import { describe, expect, test } from 'bun:test';
import { expected, floats, unpack } from '../../kernels/render-poses/pose_kernels_fixture.ts';
import { maxAbsoluteError } from '../../test/numbers.ts';
import type { Mesh } from '../media/mesh/mesh.ts';
import { toRenderMesh } from './render_mesh.ts';
import { vertexNormals } from './vertex_normals.ts';

const TETRAHEDRON: Mesh = {
  positions: Float32Array.of(1, 1, 1, 1.2, 1, 1, 1, 1.4, 1, 1, 1, 1.6),
  indices: Uint32Array.of(0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3),
  colors: null,
  uvs: null,
  texture: null,
  diameter: Math.hypot(0.4, 0.6),
  center: [1.1, 1.2, 1.3],
  extents: [0.2, 0.4, 0.6],
};

/** Columns of the [V, 9] vertices. */
function columns({ vertices }: { vertices: Float32Array }, from: number, to: number): number[][] {
  return Array.from({ length: vertices.length / 9 }, (_, vertex) =>
    [...vertices.subarray(vertex * 9 + from, vertex * 9 + to)].map(
      (value) => Math.round(value * 1e6) / 1e6 + 0,
    ),
  );
}

describe('a mesh for rendering', () => {
  test('is centred on its bounding box', () => {
    const mesh = toRenderMesh(TETRAHEDRON);
    expect(columns(mesh, 0, 3)).toEqual([
      [-0.1, -0.2, -0.3],
      [0.1, -0.2, -0.3],
      [-0.1, 0.2, -0.3],
      [-0.1, -0.2, 0.3],
    ]);
    expect(mesh.faces).toBe(4);
  });

  test('is grey, has its vertices’ colours, or its texture', () => {
    const grey = toRenderMesh(TETRAHEDRON);
    expect(columns(grey, 6, 9)).toEqual(Array(4).fill(Array(3).fill(0.501961)));
    expect([grey.textureWidth, grey.textureHeight, grey.texels.length]).toEqual([0, 0, 3]);

    const colors = Uint8Array.of(255, 0, 51, 1, 2, 3, 0, 0, 0, 102, 204, 255);
    const painted = toRenderMesh({ ...TETRAHEDRON, colors });
    expect(columns(painted, 6, 9)[0]).toEqual([1, 0, 0.2]);
    expect(columns(painted, 6, 9)[3]).toEqual([0.4, 0.8, 1]);

    const texture = { data: Uint8Array.of(1, 2, 3, 4, 5, 6), width: 2, height: 1 };
    const uvs = Float32Array.of(0, 0, 1, 0.5, -2, 3, 0.25, 0.75);
    const textured = toRenderMesh({ ...TETRAHEDRON, texture, uvs });
    expect(columns(textured, 6, 9)).toEqual([
      [0, 0, 0],
      [1, 0.5, 0],
      [-2, 3, 0],
      [0.25, 0.75, 0],
    ]);
    expect([textured.textureWidth, textured.textureHeight]).toEqual([2, 1]);
    expect(textured.texels).toEqual(texture.data);
  });
});

describe('vertex normals', () => {
  const { positions, indices, normals } = expected.normals;

  test('are trimesh’s', () => {
    const own = vertexNormals(floats(positions), unpack(indices) as Uint32Array);
    expect(maxAbsoluteError(own, floats(normals))).toBeLessThan(1e-5);
  });

  test('control: turned triangles have turned normals', () => {
    const turned = (unpack(indices) as Uint32Array).toReversed();
    const own = vertexNormals(floats(positions), turned);
    expect(maxAbsoluteError(own, floats(normals))).toBeGreaterThan(1);
    expect(
      maxAbsoluteError(
        own.map((value) => -value),
        floats(normals),
      ),
    ).toBeLessThan(1e-5);
  });

  test('are 0 where there is no area', () => {
    const flat = Float32Array.of(0, 0, 0, 1, 1, 1, 2, 2, 2);
    expect([...vertexNormals(flat, Uint32Array.of(0, 1, 2))]).toEqual(Array(9).fill(0));
  });
});
