import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { readConfig } from '../config.ts';
import { demoBytes, demoError, foundationPoseBody, scene } from '../pose/demo_fixture.ts';
import { type RunningServer, startServer } from '../server.ts';
import { ApiError, encodeImage, estimatePose, foundationPose, trackPose } from './index.ts';

setDefaultTimeout(60_000);

/** Against a real server that needs a key; the geometric method answers. */
const KEY = 'sk-client-test';
const { camera_matrix } = scene;

let server: RunningServer;
let options: { baseUrl: URL; apiKey: string };

beforeAll(async () => {
  const flags = { device: 'cpu', host: '127.0.0.1', port: '0', apiKey: KEY };
  server = await startServer(readConfig(flags, {}));
  options = { baseUrl: server.url, apiKey: KEY };
});
afterAll(() => server.stop());

const blob = async (name: string) => new Blob([await demoBytes(name)]);
const text = async (name: string) => encodeImage(await demoBytes(name));

function expectTrue(pose: readonly (readonly number[])[]) {
  const { angle, distance } = demoError(pose);
  expect(angle).toBeLessThan(3);
  expect(distance).toBeLessThan(0.003);
}

describe('an estimate and what follows', () => {
  test('go as JSON, as a form, and as a mixture, with one answer', async () => {
    const sendings = [
      { image: text, depth: text, mesh: text, mask: text },
      { image: blob, depth: blob, mesh: blob, mask: blob },
      { image: text, depth: blob, mesh: text, mask: blob },
      { image: text, depth: text, mesh: blob, mask: text },
    ];
    const poses: number[][][] = [];
    for (const send of sendings) {
      const object = { mesh: await send.mesh('mesh.ply'), mask: await send.mask('mask.png') };
      const frame = { image: await send.image('rgb.png'), depth: await send.depth('depth.png') };
      const { objects } = await estimatePose(
        { ...frame, camera_matrix, objects: [{ name: 'bracket', ...object }] },
        options,
      );
      expect(objects[0].name).toBe('bracket');
      poses.push(objects[0].pose);
    }
    for (const pose of poses) expect(pose).toEqual(poses[0]);
    expectTrue(poses[0]);
  });

  test('a prompt takes the place of a mask, and tracking goes on from the answer', async () => {
    const frame = { image: await blob('rgb.png'), depth: await blob('depth.png'), camera_matrix };
    const mesh = await blob('mesh.ply');
    const prompt = { points: [scene.click] };
    const found = await estimatePose({ ...frame, objects: [{ mesh, prompt }] }, options);
    expect(found.objects[0].mask_source).toBe('prompt');
    const { pose } = found.objects[0];
    const { objects } = await trackPose({ ...frame, objects: [{ mesh, pose }] }, options);
    expectTrue(objects[0].pose);
  });
});

describe('the documented request', () => {
  test('is answered as documented', async () => {
    const answer = await foundationPose(await foundationPoseBody(), options);
    expect(answer.status).toBe('Pose estimation complete');
    expectTrue(answer.transformation_matrix);
  });

  test.each<[string, number, RegExp, object]>([
    ['a field', 402, /^Invalid JSON format!: camera_matrix/, { camera_matrix: [] }],
    ['units', 403, /^Pose estimation failed: mesh: .*ratio/, { mesh_scale: 1000 }],
  ])('fails by %s with the document’s status and words', async (_, status, detail, fields) => {
    const body = { ...(await foundationPoseBody()), ...fields };
    const error = await foundationPose(body, options).catch((reason) => reason);
    expect(error).toBeInstanceOf(ApiError);
    expect(error.status).toBe(status);
    expect(error.detail).toMatch(detail);
  });

  test('needs the key', async () => {
    const body = await foundationPoseBody();
    const error = await foundationPose(body, { baseUrl: server.url }).catch((reason) => reason);
    expect(error).toMatchObject({ status: 401, detail: 'API key required' });
  });
});
