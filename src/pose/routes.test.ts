import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { Document, NodeIO } from '@gltf-transform/core';
import sharp from 'sharp';
import { type TestServer, testServer } from '../../test/server.ts';
import { decodeMask } from '../media/mask_image.ts';
import { load } from '../media/mesh/mesh_fixture.ts';
import { encodeRle } from '../media/rle.ts';
import type { EstimateAnswer, TrackAnswer } from './answers.ts';
import { demoBytes, demoError, demoFile, frameBody, SIZE, scene } from './demo_fixture.ts';
import { rigidProblem } from './rigid.ts';

setDefaultTimeout(60_000);

const ESTIMATE = '/api/v1/pose/estimate';
const TRACK = '/api/v1/pose/track';

let server: TestServer;
let frame: Awaited<ReturnType<typeof frameBody>>;
let mesh: string;
let mask: string;

beforeAll(async () => {
  server = await testServer();
  frame = await frameBody();
  mesh = await demoFile('mesh.ply');
  mask = await demoFile('mask.png');
});
afterAll(() => server.close());

async function post<A>(path: string, body: unknown): Promise<{ answer: A; response: Response }> {
  const response = await server.post(path, body);
  const text = await response.text();
  expect({ status: response.status, text: response.ok ? '' : text }).toEqual({
    status: 200,
    text: '',
  });
  return { answer: JSON.parse(text), response };
}

const estimate = async (fields: object) =>
  (await post<EstimateAnswer>(ESTIMATE, { ...frame, ...fields })).answer;

function expectTrue(pose: readonly (readonly number[])[]) {
  const { angle, distance } = demoError(pose);
  expect(angle).toBeLessThan(3);
  expect(distance).toBeLessThan(0.003);
}

describe('an estimate', () => {
  test('finds the object of a mask, with all the documented fields', async () => {
    const { answer, response } = await post<EstimateAnswer>(ESTIMATE, {
      ...frame,
      objects: [{ name: 'bracket', mesh, mask }],
    });
    expectTrue(answer.objects[0].pose);
    expect(answer).toEqual({
      objects: [
        {
          name: 'bracket',
          pose: expect.any(Array),
          score: expect.any(Number),
          inlier_fraction: expect.any(Number),
          residual: expect.any(Number),
          method: 'geometric',
          hypotheses: [expect.objectContaining({ pose: answer.objects[0].pose })],
          mask_source: 'mask',
          mask_score: null,
          mask_model: null,
          mask_pixels: expect.any(Number),
          mesh_diameter: expect.any(Number),
          warnings: expect.any(Array),
        },
      ],
      model: null,
      unit: 'metre',
      image_size: SIZE,
      elapsed_ms: expect.any(Number),
    });
    expect(answer.objects[0].inlier_fraction).toBeGreaterThan(0.5);
    expect(answer.objects[0].warnings.join()).toContain('from shape alone');
    const stages = response.headers.get('server-timing') ?? '';
    for (const stage of ['decode', 'mask', 'queue', 'mesh', 'register']) {
      expect(stages).toContain(`${stage};dur=`);
    }
  });

  test('gives top_k distinct poses, the best first', async () => {
    const { objects } = await estimate({ objects: [{ mesh, mask }], top_k: 3 });
    const { hypotheses, pose } = objects[0];
    expect(hypotheses.length).toBeWithin(2, 4);
    expect(hypotheses[0].pose).toEqual(pose);
    const scores = hypotheses.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    const { angle, distance } = demoError(hypotheses[1].pose, pose);
    expect(angle + 1000 * distance).toBeGreaterThan(5);
  });

  test('takes several objects, and meshes in other units', async () => {
    const text = await obj(1000);
    const { objects } = await estimate({
      objects: [
        { name: 'metres', mesh, mask },
        {
          name: 'millimetres',
          mesh: Buffer.from(text).toString('base64'),
          mask,
          mesh_scale: 0.001,
        },
      ],
    });
    expect(objects.map(({ name }) => name)).toEqual(['metres', 'millimetres']);
    for (const { pose } of objects) expectTrue(pose);
    expect(objects[1].mesh_diameter).toBeCloseTo(objects[0].mesh_diameter, 5);
  });

  test('takes a GLB by its content', async () => {
    const { positions, indices } = await load(await demoBytes('mesh.ply'));
    const document = new Document();
    const buffer = document.createBuffer();
    const accessor = (type: 'VEC3' | 'SCALAR', array: typeof positions | typeof indices) =>
      document.createAccessor().setType(type).setArray(array).setBuffer(buffer);
    const primitive = document
      .createPrimitive()
      .setAttribute('POSITION', accessor('VEC3', positions))
      .setIndices(accessor('SCALAR', indices));
    const node = document.createNode().setMesh(document.createMesh().addPrimitive(primitive));
    document.createScene().addChild(node);
    const glb = await new NodeIO().writeBinary(document);
    const { objects } = await estimate({
      objects: [{ mesh: Buffer.from(glb).toString('base64'), mask }],
    });
    expectTrue(objects[0].pose);
  });

  test('takes the camera as four numbers, run lengths as a mask, and depth in other units', async () => {
    const [[fx, , cx], [, fy, cy]] = scene.camera_matrix;
    const bytes = await demoBytes('mask.png');
    const { data } = await decodeMask(bytes, { maxPixels: 1e6, maxBytes: 1e6 });
    const counts = encodeRle(data, SIZE.height, SIZE.width);
    const { camera_matrix: _, ...rest } = frame;
    const { answer } = await post<EstimateAnswer>(ESTIMATE, {
      ...rest,
      camera_intrinsics: { fx, fy, cx, cy },
      depth_scale: 0.001,
      objects: [{ mesh, mask: { size: [SIZE.height, SIZE.width], counts } }],
    });
    expectTrue(answer.objects[0].pose);
    const { mask_pixels: pixels } = answer.objects[0];
    expect(pixels).toBe(data.reduce((sum, value) => sum + Number(value > 0), 0));
  });

  test('resizes a mask of another size', async () => {
    const half = await sharp(await demoBytes('mask.png'))
      .resize(160, 120, { kernel: 'nearest' })
      .png()
      .toBuffer();
    const { objects } = await estimate({ objects: [{ mesh, mask: half.toString('base64') }] });
    expectTrue(objects[0].pose);
  });

  test('comes from a form, where objects name their files', async () => {
    const form = new FormData();
    form.set('image', new Blob([await demoBytes('rgb.png')]));
    form.set('depth', new Blob([await demoBytes('depth.png')]));
    form.set('camera_matrix', JSON.stringify(scene.camera_matrix));
    form.set('objects', JSON.stringify([{ mesh: 'bracket', mask: 'seen', name: 'a' }]));
    form.set('bracket', new Blob([await demoBytes('mesh.ply')]));
    form.set('seen', new Blob([await demoBytes('mask.png')]));
    const request = new Request(`http://localhost${ESTIMATE}`, { method: 'POST', body: form });
    const response = await server.handle(request);
    expect(response.status).toBe(200);
    const answer = (await response.json()) as EstimateAnswer;
    expectTrue(answer.objects[0].pose);
  });

  test('says that symmetries are of the mesh’s own frame, and uses them', async () => {
    // Not true of the bracket, but a half turn about its middle: two poses become one.
    const half = [
      [-1, 0, 0, 0.12],
      [0, -1, 0, 0.06],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
    ];
    const symmetries = { discrete: [half], continuous: [] };
    const { objects } = await estimate({ objects: [{ mesh, mask, symmetries }], top_k: 2 });
    const flat = { discrete: [half.flat()] };
    const other = await estimate({ objects: [{ mesh, mask, symmetries: flat }], top_k: 2 });
    expect(other.objects[0].hypotheses).toEqual(objects[0].hypotheses);
    expect(objects[0].hypotheses[0].inlier_fraction).toBeGreaterThan(0.5);
  });
});

describe('a prompt instead of a mask', () => {
  test.each([
    ['a click', { points: [scene.click] }],
    ['a text', { text: 'orange object' }],
  ])('%s: segmentation finds the object in the same request', async (_, prompt) => {
    const { objects } = await estimate({
      objects: [{ mesh, prompt }],
      confidence_threshold: 0.1,
    });
    expect(objects[0].mask_source).toBe('prompt');
    expect(objects[0].mask_score).toBeWithin(0.1, 1);
    expect(objects[0].mask_model).toBe('segment-mini');
    expectTrue(objects[0].pose);
  });
});

describe('tracking', () => {
  test('goes on from the last pose, without a mask', async () => {
    // A few millimetres and degrees away.
    const last = turned(scene.pose, 0.06, [0.004, -0.003, 0.005]);
    expect(demoError(last).angle).toBeGreaterThan(3);
    const { answer, response } = await post<TrackAnswer>(TRACK, {
      ...frame,
      objects: [{ name: 'bracket', mesh, pose: last }],
    });
    expectTrue(answer.objects[0].pose);
    expect(answer.objects[0]).toEqual({
      name: 'bracket',
      pose: expect.any(Array),
      score: expect.any(Number),
      inlier_fraction: expect.any(Number),
      residual: expect.any(Number),
      method: 'geometric',
      mesh_diameter: expect.any(Number),
      warnings: expect.any(Array),
    });
    expect(response.headers.get('server-timing')).toContain('track;dur=');
  });

  test('takes a last pose of few digits', async () => {
    const pose = scene.pose.map((row) => row.map((value) => Number(value.toFixed(3))));
    expect(rigidProblem(pose.flat(), 1e-4)).not.toBeNull();
    const { answer } = await post<TrackAnswer>(TRACK, { ...frame, objects: [{ mesh, pose }] });
    expectTrue(answer.objects[0].pose);
  });

  test('says when little agrees', async () => {
    // A wall where the object was: nothing of it is seen.
    const { answer } = await post<TrackAnswer>(TRACK, {
      ...frame,
      objects: [{ mesh, pose: turned(scene.pose, 0, [0.15, 0, 0.1]) }],
    });
    expect(answer.objects[0].inlier_fraction).toBeLessThan(0.5);
    expect(answer.objects[0].warnings[0]).toContain('inlier_fraction is');
  });
});

test('the figures of operators know the routes and their stages', async () => {
  const response = await server.handle(new Request('http://localhost/metrics'));
  const text = await response.text();
  expect(text).toMatch(
    /triptych_http_request_duration_seconds_count\{.*route="\/api\/v1\/pose\/estimate",status="200"\}/,
  );
  expect(text).toMatch(
    /triptych_stage_duration_seconds_count\{route="\/api\/v1\/pose\/track",stage="track"\}/,
  );
  const info = await server.handle(new Request('http://localhost/models/info'));
  expect(await info.json()).toMatchObject({
    pose_model: { methods: ['geometric'], default_method: 'geometric', model: null },
  });
});

/** The bracket as an OBJ, its lengths times `factor`. */
async function obj(factor: number): Promise<string> {
  const { positions, indices } = await load(await demoBytes('mesh.ply'));
  const rows = (word: string, values: ArrayLike<number>, offset: number, times: number) =>
    Array.from({ length: values.length / 3 }, (_, i) => {
      const row = [0, 1, 2].map((k) => values[i * 3 + k] * times + offset);
      return `${word} ${row.join(' ')}`;
    });
  return [...rows('v', positions, 0, factor), ...rows('f', indices, 1, 1)].join('\n');
}

/** A pose turned about the camera's z at the object, in radians, and moved. */
function turned(pose: number[][], angle: number, move: number[]): number[][] {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const middle = [0, 1, 2].map((row) => pose[row][3]);
  return pose.map((_, row) => {
    if (row === 3) return [0, 0, 0, 1];
    return [0, 1, 2, 3].map((column) => {
      const at = (k: number) => pose[k][column] - (column === 3 ? middle[k] : 0);
      const value = [c * at(0) - s * at(1), s * at(0) + c * at(1), at(2)][row];
      return value + (column === 3 ? middle[row] + move[row] : 0);
    });
  });
}
