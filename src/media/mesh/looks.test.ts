/** Proves which colours and textures a mesh gets, where formats say it in their own ways. */
import { expect, test } from 'bun:test';
import { encodeBase64 } from '../base64.ts';
import { encodeRgbPng } from '../png.ts';
import type { Mesh } from './mesh.ts';
import { fixture, load } from './mesh_fixture.ts';

/** The texel that a vertex lies on, as a renderer finds it. */
function texelAt({ uvs, texture }: Mesh, vertex: number): number[] {
  const { data, width, height } = texture!;
  const wrap = (value: number) => value - Math.floor(value);
  const x = Math.min(Math.floor(wrap(uvs![vertex * 2]) * width), width - 1);
  const y = Math.min(Math.floor(wrap(uvs![vertex * 2 + 1]) * height), height - 1);
  return [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
}

function colorsAround({ colors, indices }: Mesh): number[][] {
  return Array.from(indices, (vertex) => [...colors!.subarray(vertex * 3, vertex * 3 + 3)]);
}

test('an OBJ takes the colours of its MTL, and splits vertices only between them', async () => {
  const file = await fixture('two-colors.obj');
  const plain = await load(file);
  expect(plain.colors).toBeNull();
  expect(plain.positions.length / 3).toBe(4);
  const mesh = await load(file, { material: await fixture('two-colors.mtl') });
  const [red, green] = [
    [255, 0, 0],
    [0, 102, 5],
  ];
  const faces = [red, red, red, green].flatMap((color) => [color, color, color]);
  expect(colorsAround(mesh)).toEqual(faces);
  expect(mesh.positions.length / 3).toBe(7);
});

test('vertices of an OBJ without a colour among coloured ones are grey', async () => {
  const mesh = await load('v 0 0 0 1 0 0\nv 1 0 0\nv 0 1 0 0 0 0.5\nf 1 2 3');
  expect([...mesh.colors!]).toEqual([255, 0, 0, 128, 128, 128, 0, 0, 128]);
  const bytes = await load('v 0 0 0 250 0 1\nv 1 0 0 0 9 0\nv 0 1 0 0 0 0\nf 1 2 3');
  expect([...bytes.colors!]).toEqual([250, 0, 1, 0, 9, 0, 0, 0, 0]);
});

test('a fourth number after v is a weight, not a colour', async () => {
  expect((await load('v 0 0 0 1\nv 1 0 0 1\nv 0 1 0 1\nf 1 2 3')).colors).toBeNull();
});

test('the upper left of a texture is v = 1 in OBJ and PLY, v = 0 in glTF, and (0, 0) here', async () => {
  // One row of red over one of blue.
  const texture = await encodeRgbPng(Uint8Array.of(255, 0, 0, 0, 0, 255), 1, 2);
  const [red, blue] = [
    [255, 0, 0],
    [0, 0, 255],
  ];
  const obj = 'v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 1\nvt 0 0.9\nvt 0 0.1\nf 1/1 2/2 3/3';
  const ply = `ply\nformat ascii 1.0\nelement vertex 3\n${['x', 'y', 'z', 's', 't']
    .map((name) => `property float ${name}\n`)
    .join('')}element face 1\nproperty list uchar int vertex_indices\nend_header
    0 0 0 0 1\n1 0 0 0 0.9\n0 1 0 0 0.1\n3 0 1 2`;
  for (const file of [obj, ply]) {
    const mesh = await load(file, { texture });
    expect([0, 1, 2].map((vertex) => texelAt(mesh, vertex)).slice(1)).toEqual([red, blue]);
    expect(mesh.uvs![1]).toBe(0);
  }
  const mesh = await load(texturedGltf([0, 0, 0, 0.1, 0, 0.9], texture));
  expect([0, 1, 2].map((vertex) => texelAt(mesh, vertex))).toEqual([red, red, blue]);
});

function texturedGltf(uvs: number[], texture: Uint8Array, info = {}, material = {}): string {
  const numbers = new Float32Array([0, 0, 0, 1, 0, 0, 0, 1, 0, ...uvs]);
  return JSON.stringify({
    asset: { version: '2.0' },
    nodes: [{ mesh: 0 }],
    meshes: [{ primitives: [{ attributes: { POSITION: 0, TEXCOORD_0: 1 }, material: 0 }] }],
    materials: [{ pbrMetallicRoughness: { baseColorTexture: { index: 0, ...info }, ...material } }],
    textures: [{ source: 0 }],
    images: [{ uri: `data:image/png;base64,${encodeBase64(texture)}` }],
    accessors: [
      { bufferView: 0, componentType: 5126, type: 'VEC3', count: 3 },
      { bufferView: 0, byteOffset: 36, componentType: 5126, type: 'VEC2', count: 3 },
    ],
    bufferViews: [{ buffer: 0, byteLength: 60 }],
    buffers: [{ uri: `data:;base64,${encodeBase64(numbers)}`, byteLength: 60 }],
  });
}

test('a texture transform of glTF is applied', async () => {
  // The extension's own example: the lower left quadrant, turned clockwise by 90 degrees.
  const quadrant = { offset: [0, 1], rotation: Math.PI / 2, scale: [0.5, 0.5] };
  const info = { extensions: { KHR_texture_transform: quadrant } };
  const texture = await fixture('checks.png');
  const mesh = await load(texturedGltf([0, 0, 1, 0, 1, 1], texture, info));
  const wanted = [0, 1, 0, 0.5, 0.5, 0.5];
  mesh.uvs!.forEach((value, at) => {
    expect(value).toBeCloseTo(wanted[at], 6);
  });
});

test("a glTF's base colour is linear and multiplies its texture", async () => {
  const texture = await encodeRgbPng(Uint8Array.of(255, 128, 10), 1, 1);
  const half = { baseColorFactor: [0.5, 0.5, 1, 1] };
  const mesh = await load(texturedGltf([0, 0, 1, 0, 1, 1], texture, {}, half));
  // By IEC 61966-2-1: 0.5 is 187.5; 128 is 0.21586, its half 92.4.
  expect([...mesh.texture!.data]).toEqual([188, 92, 10]);
});

test('parts with different looks share one texture, in which each finds its own', async () => {
  const mesh = await load(await fixture('scene.glb'));
  // The square's 4 vertices show the picture's corners; the 84 of the ball a grey pixel below it.
  expect([mesh.texture!.width, mesh.texture!.height]).toEqual([8, 7]);
  const texels = Array.from({ length: 88 }, (_, vertex) => texelAt(mesh, vertex).join(' '));
  const seen = new Set(texels);
  expect(texels.filter((texel) => texel === '128 128 128')).toHaveLength(84);
  for (const corner of ['0 0 0', '0 210 255', '200 0 255', '200 210 0'])
    expect(seen).toContain(corner);
});

test('an OBJ with a texture on some faces keeps the colours of the others', async () => {
  const mesh = await load(
    'v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 1\nusemtl label\nf 1/1 2/1 3/1\nusemtl body\nf 3 2 1\nf 3/1 1/1 2/1',
    {
      texture: await encodeRgbPng(Uint8Array.of(1, 2, 3, 4, 5, 6), 2, 1),
      material: new TextEncoder().encode('newmtl label\nmap_Kd x.png\nnewmtl body\nKd 1 0 0\n'),
    },
  );
  const texels = Array.from(mesh.indices, (vertex) => texelAt(mesh, vertex));
  const [label, body] = [
    [1, 2, 3],
    [255, 0, 0],
  ];
  expect(texels).toEqual([label, label, label, ...Array(6).fill(body)]);
});

test("a glTF's strips and fans are triangles that face one way", async () => {
  const square = [0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0];
  const file = (mode: number, indices: number[]) => {
    const floats = encodeBase64(new Float32Array(square));
    return JSON.stringify({
      asset: { version: '2.0' },
      nodes: [{ mesh: 0, scale: [-1, 1, 1] }],
      meshes: [{ primitives: [{ attributes: { POSITION: 0 }, indices: 1, mode }] }],
      accessors: [
        { bufferView: 0, componentType: 5126, type: 'VEC3', count: 4 },
        { bufferView: 1, componentType: 5121, type: 'SCALAR', count: indices.length },
      ],
      bufferViews: [
        { buffer: 0, byteLength: 48 },
        { buffer: 1, byteLength: indices.length },
      ],
      buffers: [
        { uri: `data:;base64,${floats}`, byteLength: 48 },
        { uri: `data:;base64,${encodeBase64(Uint8Array.from(indices))}`, byteLength: 4 },
      ],
    });
  };
  for (const [mode, indices] of [
    [5, [0, 1, 2, 3]],
    [6, [0, 1, 3, 2]],
  ] as const) {
    const { positions, indices: triangles } = await load(file(mode, [...indices]));
    expect(triangles).toHaveLength(6);
    for (let at = 0; at < 6; at += 3) {
      const [a, b, c] = [...triangles.subarray(at, at + 3)].map((vertex) => vertex * 3);
      const turn =
        (positions[b] - positions[a]) * (positions[c + 1] - positions[a + 1]) -
        (positions[b + 1] - positions[a + 1]) * (positions[c] - positions[a]);
      expect(turn).toBe(1);
    }
  }
});
