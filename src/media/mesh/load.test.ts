/**
 * Proves that every format gives the triangles, colours and texture coordinates that trimesh reads,
 * in metres, and the diameter over all vertices.
 */
import { describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Mesh } from './mesh.ts';
import {
  expected,
  FIXTURES,
  fixture,
  load,
  measure,
  triangles,
  unpackFloats,
} from './mesh_fixture.ts';

const REAL = join(import.meta.dir, '../../../../shared/data/pose');
const hasReal = existsSync(join(REAL, 'lmo/obj_05.ply'));
if (!hasReal) console.warn(`skipped: real meshes, because ${REAL} is absent`);

/** What goes with a file, and whether its vertices are split where trimesh's aren't. */
const COMPANY: Readonly<Record<string, { texture?: string; material?: string; split?: number }>> = {
  'face-texture.ply': { texture: 'checks.png' },
  // trimesh also splits where only the normals differ.
  'box.obj': { texture: 'checks.png', material: 'box.mtl', split: 14 },
  // trimesh keeps face colours apart from vertices: here each colour has its own.
  'face-colors.ply': { split: 8 },
  // trimesh splits by material even without the MTL.
  'two-colors.obj': { split: 4 },
};

async function loadFixture(name: string, scale = 1): Promise<Mesh> {
  const { texture, material } = COMPANY[name] ?? {};
  return load(await fixture(name), {
    name,
    scale,
    texture: texture ? await fixture(texture) : undefined,
    material: material ? await fixture(material) : undefined,
  });
}

function expectClose(actual: readonly number[], wanted: readonly number[], scale: number): void {
  actual.forEach((value, at) => {
    expect(Math.abs(value - wanted[at])).toBeLessThan(2e-6 * scale);
  });
}

describe.each(Object.entries(expected.meshes))('%s', (name, reference) => {
  test('has the shape and the measures that trimesh gives', async () => {
    const mesh = await loadFixture(name);
    expect(mesh.indices.length / 3).toBe(reference.faces);
    expect(mesh.positions.length / 3).toBe(COMPANY[name]?.split ?? reference.vertices);
    const own = triangles(mesh.positions, [], mesh.indices);
    expect(own).toEqual(triangles(unpackFloats(reference.triangles)));
    const { diameter, center, extents } = mesh;
    const wanted = [reference.diameter, ...reference.center, ...reference.extents];
    expectClose([diameter, ...center, ...extents], wanted, reference.diameter);
  });
});

const references = Object.entries(expected.meshes);
const coloured = references.filter(([, { colors }]) => colors);
// The parts of the scenes share a joint texture of our own making: see looks.test.ts.
const textured = references.filter(([name, { uvs }]) => uvs && !name.startsWith('scene'));

test.each(coloured)('%s has the colours that trimesh gives', async (name, reference) => {
  const mesh = await loadFixture(name);
  expect(mesh.texture).toBeNull();
  const corners = unpackFloats(reference.triangles);
  const wanted = triangles(corners, Uint8Array.fromBase64(reference.colors!));
  expect(triangles(mesh.positions, mesh.colors!, mesh.indices)).toEqual(wanted);
});

test.each(textured)('%s lies on its texture as in trimesh', async (name, reference) => {
  const mesh = await loadFixture(name);
  expect(mesh.colors).toBeNull();
  expect([mesh.texture!.width, mesh.texture!.height]).toEqual([8, 6]);
  const corners = unpackFloats(reference.triangles);
  const wanted = triangles(corners, unpackFloats(reference.uvs!));
  expect(triangles(mesh.positions, mesh.uvs!, mesh.indices)).toEqual(wanted);
});

test('control: the comparison of triangles sees a turned, a moved and a recoloured triangle', async () => {
  const { positions, indices, colors } = await loadFixture('little.ply');
  const own = triangles(positions, colors!, indices);
  const turned = indices.slice();
  [turned[0], turned[1]] = [turned[1], turned[0]];
  expect(triangles(positions, colors!, turned)).not.toEqual(own);
  const moved = positions.slice();
  moved[30] += 3e-5;
  expect(triangles(moved, colors!, indices)).not.toEqual(own);
  const recoloured = colors!.slice();
  recoloured[30] ^= 1;
  expect(triangles(positions, recoloured, indices)).not.toEqual(own);
});

test('the three encodings of PLY are one mesh', async () => {
  const [ascii, little, big] = await Promise.all(
    ['ascii.ply', 'little.ply', 'big.ply'].map((name) => loadFixture(name)),
  );
  expect(big).toEqual(little);
  expect(ascii.indices).toEqual(little.indices);
  expect(ascii.colors).toEqual(little.colors);
});

test('a scale makes metres of millimetres, everywhere', async () => {
  const mesh = await loadFixture('house.ply', 0.001);
  const reference = expected.meshes['house.ply'];
  const { area, volume } = measure(mesh);
  expect(mesh.diameter).toBeCloseTo(reference.diameter / 1000, 8);
  expect(mesh.extents[1]).toBeCloseTo(0.005, 8);
  expect(area).toBeCloseTo(reference.area / 1e6, 9);
  expect(volume).toBeCloseTo(reference.volume! / 1e9, 12);
  expect(mesh.colors).toBeNull();
});

test('the name and where the bytes lie do not matter; the bytes are left alone', async () => {
  for (const name of ['box.obj', 'big.ply', 'scene.glb', 'scene.gltf']) {
    const plain = await load(await fixture(name));
    const padded = new Uint8Array((await fixture(name)).length + 5);
    const bytes = padded.subarray(3, padded.length - 2);
    bytes.set(await fixture(name));
    const before = padded.slice();
    expect(await load(bytes, { name: 'x.stl' })).toEqual(plain);
    expect(padded).toEqual(before);
  }
});

test('the arrays span their buffers, so that they can be moved to another thread', async () => {
  for (const name of Object.keys(expected.meshes)) {
    const { positions, indices, colors, uvs, texture } = await loadFixture(name);
    for (const array of [positions, indices, colors, uvs, texture?.data]) {
      if (array) expect(array.byteLength).toBe(array.buffer.byteLength);
    }
  }
});

describe.skipIf(!hasReal).each(Object.entries(expected.real))('real mesh %s', (name, reference) => {
  test('has the measures that trimesh gives', async () => {
    const mesh = await load(await Bun.file(join(REAL, name)).bytes());
    const { area, volume } = measure(mesh);
    expect(mesh.indices.length / 3).toBe(reference.faces);
    expect(mesh.positions.length / 3).toBe(reference.vertices);
    const wanted = [reference.diameter, ...reference.center, ...reference.extents];
    expectClose([mesh.diameter, ...mesh.center, ...mesh.extents], wanted, reference.diameter);
    expect(area / reference.area).toBeCloseTo(1, 5);
    if (reference.volume) expect(volume / reference.volume).toBeCloseTo(1, 5);
  });
});

test('all fixtures are compared', async () => {
  const files = [...new Bun.Glob('*.{ply,obj,glb,gltf}').scanSync(FIXTURES)].sort();
  expect(Object.keys(expected.meshes).sort()).toEqual(files);
});
