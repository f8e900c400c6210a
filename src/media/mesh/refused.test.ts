/** Proves that broken, hostile and foreign files are refused with a sentence that says why. */
import { describe, expect, test } from 'bun:test';
import { encodeBase64 } from '../base64.ts';
import { MediaError } from '../errors.ts';
import { encodeRgbPng } from '../png.ts';
import type { MeshOptions } from './mesh.ts';
import { fixture, load } from './mesh_fixture.ts';

async function refusal(
  bytes: Uint8Array | string,
  options: Partial<MeshOptions> = {},
): Promise<MediaError> {
  const outcome = await load(bytes, options).then(
    () => null,
    (cause: unknown) => cause,
  );
  if (outcome instanceof MediaError) return outcome;
  throw new Error(`expected a MediaError, got ${outcome}`);
}

const HEAD = 'ply\nformat ascii 1.0\nelement vertex 3\n';
const XYZ = 'property float x\nproperty float y\nproperty float z\n';
const FACES = 'element face 1\nproperty list uchar int vertex_indices\nend_header\n';
const TRIANGLE = `${HEAD}${XYZ}${FACES}0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n`;

function gltf(changes: object = {}, points = [0, 0, 0, 1, 0, 0, 0, 1, 0]): string {
  const bytes = new Float32Array(points);
  const uri = `data:application/octet-stream;base64,${encodeBase64(bytes)}`;
  return JSON.stringify({
    asset: { version: '2.0' },
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ mesh: 0 }],
    meshes: [{ primitives: [{ attributes: { POSITION: 0 } }] }],
    accessors: [{ bufferView: 0, componentType: 5126, type: 'VEC3', count: points.length / 3 }],
    bufferViews: [{ buffer: 0, byteLength: bytes.byteLength }],
    buffers: [{ byteLength: bytes.byteLength, uri }],
    ...changes,
  });
}

test('control: what the cases below are made from is read', async () => {
  expect((await load(TRIANGLE)).diameter).toBeCloseTo(Math.SQRT2, 6);
  expect((await load(gltf())).diameter).toBeCloseTo(Math.SQRT2, 6);
  expect((await load('v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n')).diameter).toBeCloseTo(Math.SQRT2, 6);
});

const PLY_CASES: Readonly<Record<string, readonly [file: string, message: RegExp]>> = {
  'NaN vertex': [TRIANGLE.replace('1 0 0', '1 nan 0'), /vertex 1 at \(1, NaN, 0\).*finite/],
  'infinite vertex': [TRIANGLE.replace('1 0 0', '-inf 0 0'), /vertex 1 at \(-Infinity/],
  'vertex beyond float32': [TRIANGLE.replace('1 0 0', '1e39 0 0'), /vertex 1 at \(Infinity/],
  'face out of range': [TRIANGLE.replace('0 1 2', '0 1 3'), /triangle 0 with vertex 3.*0 to 2/],
  'face with a negative index': [TRIANGLE.replace('3 0 1 2', '3 0 1 -1'), /triangle 0 with vertex/],
  'face beyond 32 bits': [TRIANGLE.replace('3 0 1 2', '3 0 1 4294967298'), /triangle 0 with/],
  'no faces': [`${HEAD}${XYZ}end_header\n0 0 0 1 0 0 0 1 0`, /no faces, only points.*'face'/],
  'faces declared, none there': [TRIANGLE.replace('face 1', 'face 0'), /no faces/],
  'only faces of two corners': [TRIANGLE.replace('3 0 1 2', '2 0 1'), /no faces/],
  'one line': [TRIANGLE.replace('0 1 0', '7 0 0'), /degenerate triangles/],
  'one point': [TRIANGLE.replace('1 0 0\n0 1 0', '0 0 0\n0 0 0'), /degenerate triangles/],
  'cut in the values': [TRIANGLE.slice(0, -7), /ends in face 0.*cut|too short.*cut/],
  'cut in the header': [TRIANGLE.slice(0, 60), /without an 'end_header'.*cut/],
  'huge count, few bytes': [TRIANGLE.replace('vertex 3', 'vertex 600000'), /declares 600000.*cut/],
  'no number': [TRIANGLE.replace('1 0 0', '1 x 0'), /"x" where a number.*vertex 1/],
  'no x': [TRIANGLE.replace('float x', 'float a'), /lack 'x'/],
  'no list': [TRIANGLE.replace('vertex_indices', 'corners'), /lack the list 'vertex_indices'/],
  'strange type': [TRIANGLE.replace('float x', 'half x'), /"property half x".*expected property/],
  'strange format': [TRIANGLE.replace('ascii', 'zip'), /"format zip 1.0".*expected format/],
  'negative count': [TRIANGLE.replace('vertex 3', 'vertex -3'), /"element vertex -3"/],
  'list of negative length': [TRIANGLE.replace('3 0 1 2', '-3 0 1 2'), /list of -3 values/],
  'list of endless length': [TRIANGLE.replace('3 0 1 2', 'inf 0 1 2'), /list of Infinity values/],
};

describe.each(Object.entries(PLY_CASES))('PLY: %s', (_, [file, message]) => {
  test('is refused', async () => {
    const error = await refusal(file);
    expect(error.message).toMatch(message);
    expect([error.status, error.field]).toEqual([422, 'mesh']);
  });
});

const OBJ = 'v 0 0 0\nv 1 0 0\nv 0 1 0\n';
const OBJ_CASES: Readonly<Record<string, readonly [file: string, message: RegExp]>> = {
  'NaN vertex': [`${OBJ}v nan 0 0\nf 1 2 3`, /vertex 3 at \(NaN/],
  'face out of range': [`${OBJ}f 1 2 4`, /vertex 4, but 3 of them/],
  'negative index out of range': [`${OBJ}f -1 -2 -4`, /vertex -4 where 3.*line 4/],
  'index 0': [`${OBJ}f 0 1 2`, /vertex 0 where 3.*count from 1.*line 4/],
  'texture coordinate out of range': [`${OBJ}vt 0 0\nf 1/1 2/2 3/1`, /texture coordinate 2, but 1/],
  'no faces': [OBJ, /no faces/],
  'lines only': [`${OBJ}l 1 2 3`, /no faces/],
  'no number': [`${OBJ}v 1 a 2\nf 1 2 3`, /"a" where a number.*line 4/],
  'two coordinates': [`v 1 2\n${OBJ}f 1 2 3`, /too few numbers.*line 1/],
  'no index': [`${OBJ}f 1 2 x`, /"x" where an integer.*line 4/],
};

describe.each(Object.entries(OBJ_CASES))('OBJ: %s', (_, [file, message]) => {
  test('is refused', async () => {
    expect((await refusal(file)).message).toMatch(message);
  });
});

const FLAT = { componentType: 5126, type: 'VEC3' };
const GLTF_CASES: Readonly<Record<string, readonly [file: string, message: RegExp]>> = {
  'NaN vertex': [gltf({}, [0, 0, 0, Number.NaN, 0, 0, 0, 1, 0]), /vertex 1 at \(NaN/],
  'external buffer': [gltf({ buffers: [{ uri: '../x.bin', byteLength: 36 }] }), /"..\/x.bin".*GLB/],
  'external image': [gltf({ images: [{ uri: 'http://10.0.0.1/a.png' }] }), /refers to "http/],
  'prototype as uri': [gltf({ buffers: [{ uri: '__proto__', byteLength: 36 }] }), /refers to/],
  'required compression': [
    gltf({ extensionsRequired: ['KHR_draco_mesh_compression'] }),
    /requires the glTF extension "KHR_draco.*without compression/,
  ],
  'glTF 1.0': [gltf({ asset: { version: '1.0' } }), /glTF "1.0"; expected version 2.0/],
  'other JSON': ['{"a": 1}', /is glTF "undefined"/],
  'broken JSON': ['{"asset": ', /is broken glTF/],
  'accessor beyond its view': [
    gltf({ accessors: [{ ...FLAT, bufferView: 0, count: 4 }] }),
    /accessor 0 with 48 bytes.*there are 36/,
  ],
  'view beyond its buffer': [
    gltf({ bufferViews: [{ buffer: 0, byteOffset: 8, byteLength: 36 }] }),
    /bufferView 0 with 36 bytes from byte 8, where there are 36/,
  ],
  'four thousand million zeros': [
    gltf({ accessors: [{ ...FLAT, count: 4e9 }] }),
    /has 1333333333 triangles|unfolds to 48000000000 bytes/,
  ],
  'accessor of no known type': [
    gltf({ accessors: [{ ...FLAT, type: 'constructor', bufferView: 0, count: 3 }] }),
    /accessor 0 of a type or count/,
  ],
  'node below itself': [
    gltf({ nodes: [{ mesh: 0, children: [1] }, { children: [0] }] }),
    /node 0, which is missing or shown twice/,
  ],
  'missing node': [gltf({ scenes: [{ nodes: [7] }] }), /node 7, which is missing/],
  'too many nodes': [gltf({ nodes: Array(20_001).fill({ mesh: 0 }) }), /20001 nodes; at most/],
  'too many links': [
    gltf({ nodes: [{ mesh: 0, children: Array(20_001).fill(1) }, {}] }),
    /20002 links between nodes/,
  ],
  'too many primitives': [
    gltf({ meshes: [{ primitives: Array(20_001).fill({ attributes: {} }) }] }),
    /20001 primitives/,
  ],
  'JSON a million deep': [`{"asset": ${'['.repeat(1e6)}`, /is broken glTF/],
  'a mesh shown too often': [
    gltf({ nodes: Array(9).fill({ mesh: 0 }), scenes: [{ nodes: [...Array(9).keys()] }] }),
    /has 9 triangles; at most 8/,
  ],
  'nothing shown': [gltf({ scenes: [{ nodes: [] }] }), /no faces/],
  'points only': [
    gltf({ meshes: [{ primitives: [{ mode: 0, attributes: { POSITION: 0 } }] }] }),
    /no faces/,
  ],
  'missing accessor': [
    gltf({ meshes: [{ primitives: [{ attributes: { POSITION: 5 } }] }] }),
    /no faces|broken glTF/,
  ],
  'no primitives': [gltf({ meshes: [{}] }), /broken glTF/],
};

describe.each(Object.entries(GLTF_CASES))('glTF: %s', (_, [file, message]) => {
  test('is refused', async () => {
    expect((await refusal(file, { maxTriangles: 8 })).message).toMatch(message);
  });
});

test('a GLB that was cut is refused at any length', async () => {
  const whole = await fixture('scene.glb');
  for (let length = 1; length < whole.length; length += 41) {
    const error = await refusal(whole.subarray(0, length));
    expect(error.message).toMatch(/cut|without a JSON|no faces|unknown type|mesh is/);
  }
});

test('a binary PLY that was cut is refused at any length', async () => {
  for (const name of ['little.ply', 'big.ply', 'house.ply']) {
    const whole = await fixture(name);
    const end = name === 'house.ply' ? whole.length - 2 : whole.length;
    for (let length = 1; length < end; length += 23) {
      expect((await refusal(whole.subarray(0, length))).status).toBe(422);
    }
  }
});

describe('millions of triangles are refused by their count', () => {
  const head = new TextEncoder().encode(
    `ply\nformat binary_little_endian 1.0\nelement vertex 3\n${XYZ}element face 5000000\nproperty list uchar int vertex_indices\nend_header\n`,
  );

  test('PLY, declared', async () => {
    const error = await refusal(head);
    expect(error.message).toMatch(/has 5000000 triangles; at most 200000 are taken.*simplify/);
  });

  test('PLY, in one polygon', async () => {
    const polygon = `3000000 ${'0 '.repeat(2000)}`;
    const file = TRIANGLE.replace('uchar int', 'uint int').replace('3 0 1 2', polygon);
    expect((await refusal(file)).message).toMatch(/list of 3000000 values/);
    const fan = TRIANGLE.replace('uchar int', 'uint int').replace(
      '3 0 1 2',
      `12 ${'0 '.repeat(12)}`,
    );
    expect((await refusal(fan, { maxTriangles: 9 })).message).toMatch(/has 10 triangles/);
  });

  test('OBJ, counted while read', async () => {
    const file = `${OBJ}${'f 1 2 3\n'.repeat(1001)}`;
    expect((await refusal(file, { maxTriangles: 1000 })).message).toMatch(/has 1001 triangles/);
  });

  test('glTF, before anything is unpacked', async () => {
    const before = process.memoryUsage().arrayBuffers;
    const accessors = [{ ...FLAT, count: 15e6 }];
    const error = await refusal(gltf({ accessors }), { maxBytes: 1e9 });
    expect(error.message).toMatch(/has 5000000 triangles/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
  });
});

describe('what is no mesh is named', () => {
  const cases: readonly (readonly [name: string, bytes: Uint8Array | string, message: RegExp])[] = [
    ['empty', '', /mesh is empty/],
    ['STL', 'solid ball\nfacet normal 0 0 1\n', /an STL file; expected a mesh as PLY, OBJ/],
    ['zip', Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0), /a zip archive/],
    ['gzip bomb', Bun.gzipSync(new Uint8Array(1e6)), /a gzip stream/],
    ['page', '<!doctype html><p>v 0 0 0', /an HTML page/],
    [
      'noise',
      crypto.getRandomValues(new Uint8Array(300)).fill(0, 0, 4),
      /300 bytes of an unknown type/,
    ],
    ['text', 'once upon a time', /unknown type/],
  ];
  test.each(cases)('%s', async (_, bytes, message) => {
    expect((await refusal(bytes)).message).toMatch(message);
  });

  test('its name is quoted, its content is not', async () => {
    const { message } = await refusal('secret stuff', { name: '../a\0b"\n.stl' });
    expect(message).toStartWith('mesh ("../a\\u0000b\\"\\n.stl") is ');
    expect(message).not.toContain('secret');
  });

  test('a file too large is 413', async () => {
    expect((await refusal(TRIANGLE, { maxBytes: 100 })).status).toBe(413);
  });
});

describe('company', () => {
  test('a texture needs texture coordinates', async () => {
    const error = await refusal(TRIANGLE, { texture: await fixture('checks.png') });
    expect(error.message).toMatch(/no texture coordinates.*Leave texture out/);
    const obj = await refusal(`${OBJ}f 1 2 3`, { texture: await fixture('checks.png') });
    expect(obj.message).toMatch(/no texture coordinates.*'vt'/);
  });

  test('a texture bomb is refused by its header', async () => {
    const texture = await encodeRgbPng(new Uint8Array(4000 * 1000 * 3), 4000, 1000);
    expect(texture.length).toBeLessThan(200_000);
    const limits = { texture, maxTexturePixels: 1e6, textureField: 'mesh_texture' };
    const error = await refusal(await fixture('face-texture.ply'), limits);
    expect(error.message).toMatch(/^mesh_texture is 4000x1000|^mesh_texture \(PNG\) is 4000x1000/);
    const uri = `data:image/png;base64,${encodeBase64(texture)}`;
    const look = { pbrMetallicRoughness: { baseColorTexture: { index: 0 } } };
    const attributes = { POSITION: 0, TEXCOORD_0: 0 };
    const glb = gltf({
      images: [{ uri }],
      textures: [{ source: 0 }],
      materials: [look],
      meshes: [{ primitives: [{ attributes, material: 0 }] }],
    });
    const inside = await refusal(glb, { maxTexturePixels: 1e6 });
    expect(inside.message).toMatch(/the texture in mesh.*4000x1000/);
    expect(inside.field).toBe('mesh');
  });

  test('a file that the mesh cannot use is refused', async () => {
    const checks = await fixture('checks.png');
    expect((await refusal(gltf(), { texture: checks })).message).toMatch(
      /texture can't go with a glTF/,
    );
    const material = new TextEncoder().encode('newmtl a\nKd 1 0 0\n');
    expect((await refusal(TRIANGLE, { material })).message).toMatch(/material can't go with a PLY/);
    const broken = new TextEncoder().encode('newmtl a\nKd 1 0\n');
    const obj = `${OBJ}f 1 2 3`;
    expect((await refusal(obj, { material: broken })).message).toMatch(/"Kd 1 0"; expected three/);
    const two = new TextEncoder().encode('newmtl a\nmap_Kd a.png\nnewmtl b\nmap_Kd b.png\n');
    expect((await refusal(obj, { material: two })).message).toMatch(/names 2 pictures.*GLB/);
    expect((await refusal(obj, { material: checks })).message).toMatch(/no 'newmtl' line/);
  });

  test('a scale that is no length is the caller of the function', async () => {
    for (const scale of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(load(TRIANGLE, { scale })).rejects.toThrow(RangeError);
    }
    await expect(load(TRIANGLE, { scale: 1e39 })).rejects.toThrow(/beyond float32/);
  });
});

test('bytes changed at random are read or refused, and never anything else', async () => {
  let seed = 1;
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
  for (const name of ['little.ply', 'big.ply', 'house.ply', 'box.obj', 'scene.glb', 'scene.gltf']) {
    const whole = await fixture(name);
    for (let round = 0; round < 60; round++) {
      const bytes = whole.slice();
      const span = round % 2 ? 400 : bytes.length;
      for (let i = 0; i < 1 + (round % 5); i++) bytes[Math.floor(random() * span)] = random() * 256;
      const outcome = await load(bytes).catch((cause: unknown) => cause);
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(MediaError);
    }
  }
});
