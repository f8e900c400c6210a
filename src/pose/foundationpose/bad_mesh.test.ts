/** Each bad mesh gets a 402 that says what is wrong with it; then a good request works. */
import { afterAll, beforeAll, describe, setDefaultTimeout, test } from 'bun:test';
import { type TestServer, testServer } from '../../../test/server.ts';
import { foundationPoseBody } from '../demo_fixture.ts';
import { refuses } from './refusal_fixture.ts';

setDefaultTimeout(60_000);

let server: TestServer;
let body: Awaited<ReturnType<typeof foundationPoseBody>>;

beforeAll(async () => {
  server = await testServer({ maxUploadMb: '2' });
  body = await foundationPoseBody();
});
afterAll(() => server.close());

function refusesMesh(file: Uint8Array | string, ...words: RegExp[]) {
  const mesh = Buffer.from(file).toString('base64');
  return refuses(server, { ...body, mesh }, { status: 402, error: 'Invalid JSON format!', words });
}

describe('a mesh', () => {
  const ply = (vertices: string[], faces: string[], counts = [vertices.length, faces.length]) =>
    [
      'ply',
      'format ascii 1.0',
      `element vertex ${counts[0]}`,
      'property float x',
      'property float y',
      'property float z',
      `element face ${counts[1]}`,
      'property list uchar int vertex_indices',
      'end_header',
      ...vertices,
      ...faces,
      '',
    ].join('\n');
  const corners = ['0 0 0', '0.1 0 0', '0 0.1 0', '0 0 0.1'];

  test.each<[string, string, RegExp]>([
    ['with NaN', ply(['nan 0 0', ...corners], ['3 0 1 2']), /mesh has vertex 0 at \(NaN/],
    ['infinite', ply(['inf 0 0', ...corners], ['3 0 1 2']), /mesh has vertex 0/],
    ['without faces', ply(corners, []), /mesh has no faces/],
    ['with faces out of range', ply(corners, ['3 0 1 9']), /mesh has triangle 0 with vertex 9/],
    ['in a point', ply(Array(4).fill('0 0 0'), ['3 0 1 2']), /mesh has only degenerate/],
    ['cut', ply(corners, ['3 0 1 2'], [4, 2]), /mesh/],
    ['of 5 million triangles', ply(corners, [], [4, 5_000_000]), /mesh has 5000000 triangles/],
    ['empty', '', /mesh/],
  ])('%s', (_, text, word) => refusesMesh(text, word));

  test('of 5 million triangles, binary', async () => {
    // A header and no end: the count alone is refused.
    const vertices = 'element vertex 3\nproperty float x\nproperty float y\nproperty float z\n';
    const faces = 'element face 5000000\nproperty list uchar int vertex_indices\nend_header\n';
    const head = `ply\nformat binary_little_endian 1.0\n${vertices}${faces}`;
    const mesh = Buffer.concat([Buffer.from(head), Buffer.alloc(1 << 20)]);
    await refusesMesh(mesh, /mesh has 5000000 triangles; at most 500000/);
  });

  test('a GLB that says it is larger than it is', () => {
    const glb = Buffer.alloc(64);
    glb.write('glTF');
    glb.writeUInt32LE(2, 4);
    glb.writeUInt32LE(2 ** 31 - 1, 8);
    return refusesMesh(glb, /^mesh /);
  });

  test('a GLB that is a bomb: few bytes, gigabytes of vertices', () => {
    const count = 300_000_000;
    const json = JSON.stringify({
      asset: { version: '2.0' },
      scenes: [{ nodes: [0] }],
      scene: 0,
      nodes: [{ mesh: 0 }],
      meshes: [{ primitives: [{ attributes: { POSITION: 0 } }] }],
      accessors: [{ componentType: 5126, type: 'VEC3', count }],
    });
    const padded = json.padEnd(Math.ceil(json.length / 4) * 4);
    const glb = Buffer.alloc(20 + padded.length);
    glb.write('glTF');
    glb.writeUInt32LE(2, 4);
    glb.writeUInt32LE(glb.length, 8);
    glb.writeUInt32LE(padded.length, 12);
    glb.write('JSON', 16);
    glb.write(padded, 20);
    return refusesMesh(glb, /^mesh /);
  });
});
