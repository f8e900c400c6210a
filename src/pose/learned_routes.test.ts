/** The routes with a learned model installed: small graphs of random weights in a published contract. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { type App, createApp } from '../app.ts';
import { openCpuBackend } from '../compute/cpu/backend.ts';
import { readConfig } from '../config.ts';
import { encodeRgbPng } from '../media/png.ts';
import { addLocalPose } from '../models/pose_local.ts';
import { type ModelStore, openStore } from '../models/store.ts';
import { createServer } from '../server.ts';
import type { EstimateAnswer, TrackAnswer } from './answers.ts';
import { fixture, frame, mask, mesh, unpack } from './learned/learned_fixture.ts';
import { PoseModels } from './models.ts';
import { PoseEngine } from './pipeline.ts';
import { rigidProblem } from './rigid.ts';

setDefaultTimeout(240_000);

const GRAPHS = join(import.meta.dir, '../../test/fixtures/pose-learned');
const { width, height } = frame;

let app: App;
let store: ModelStore;
let close: () => void;
let root: string;
let body: { image: string; depth: string; depth_scale: number; camera_intrinsics: object };
let object: { mesh: string };

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'triptych-pose-learned-'));
  const folder = join(root, 'foundationpose-tiny');
  mkdirSync(folder);
  for (const name of ['refiner_net.onnx', 'score_net.onnx']) {
    copyFileSync(join(GRAPHS, name), join(folder, name));
  }
  store = openStore({ root: join(root, 'models') });
  await addLocalPose(store, folder, { id: 'foundationpose-tiny' });
  const parts = await createServer(readConfig({ device: 'cpu', threads: '1' }, {}), store);
  app = createApp(parts);
  close = parts.close;
  const raw = { width, height, channels: 1 as const };
  const units = unpack(fixture.depth) as Uint16Array;
  const depth = await sharp(units, { raw }).toColourspace('grey16').png().toBuffer();
  body = {
    image: base64(await encodeRgbPng(frame.rgb, width, height)),
    depth: depth.toString('base64'),
    depth_scale: fixture.depth_unit,
    camera_intrinsics: frame.intrinsics,
  };
  object = { mesh: base64(new TextEncoder().encode(objText())) };
});
afterAll(() => {
  close();
  rmSync(root, { recursive: true });
});

test('a register tells the watchdog of each run of its networks', async () => {
  let runs = 0;
  const engine = new PoseEngine(openCpuBackend(1), () => runs++);
  const model = new PoseModels(store).find('cpu');
  const bytes = new TextEncoder().encode(objText());
  const files = { mesh: bytes, texture: null, material: null, scale: 1, key: 'one', prefix: '' };
  const limits = { maxBytes: 1e6, maxTriangles: 1e5 };
  const last = Float32Array.from([...fixture.true_pose.slice(0, 3), [0, 0, 0, 1]].flat());
  const ask = { type: 'track', field: 'pose', last, options: { iterations: 3 } } as const;
  const task = { files: { ...files, ...limits }, symmetries: {}, frame, ask, model };
  const [outcome] = await engine.runAll([task]);
  expect(outcome).toMatchObject({ output: { type: 'found' } });
  expect(runs).toBe(3);
});

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** The fixture's mesh with its colours, which OBJ keeps after a vertex's coordinates. */
function objText(): string {
  const { positions, indices, colors } = mesh;
  const lines: string[] = [];
  for (let at = 0; at < positions.length; at += 3) {
    const color = Array.from(colors?.subarray(at, at + 3) ?? [], (value) => value / 255);
    lines.push(`v ${positions.subarray(at, at + 3).join(' ')} ${color.join(' ')}`);
  }
  for (let at = 0; at < indices.length; at += 3) {
    lines.push(`f ${Array.from(indices.subarray(at, at + 3), (index) => index + 1).join(' ')}`);
  }
  return lines.join('\n');
}

async function post<A>(path: string, fields: object): Promise<A> {
  const response = await app.handle(
    new Request(`http://localhost${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...body, ...fields }),
    }),
  );
  const text = await response.text();
  expect({ status: response.status, text: response.ok ? '' : text }).toEqual({
    status: 200,
    text: '',
  });
  return JSON.parse(text);
}

async function shown() {
  const raw = { width, height, channels: 1 as const };
  return { ...object, mask: base64(await sharp(mask, { raw }).png().toBuffer()) };
}

test('the learned method answers where it is installed, unless another is asked for', async () => {
  const objects = [await shown()];
  const fields = { objects, iterations: 1, top_k: 2 };
  const learned = await post<EstimateAnswer>('/api/v1/pose/estimate', fields);
  expect(learned.model).toBe('foundationpose-tiny');
  const [found] = learned.objects;
  expect(found.method).toBe('learned');
  expect(found.hypotheses).toHaveLength(2);
  expect(rigidProblem(found.pose.flat(), 1e-4)).toBeNull();
  expect(found.warnings.join()).not.toContain('geometric');
  const other = await post<EstimateAnswer>('/api/v1/pose/estimate', {
    ...fields,
    method: 'geometric',
  });
  expect(other.model).toBeNull();
  expect(other.objects[0].method).toBe('geometric');
});

test('tracking refines as often as it is asked to', async () => {
  const objects = [{ ...object, pose: [...fixture.true_pose.slice(0, 3), [0, 0, 0, 1]] }];
  const once = await post<TrackAnswer>('/api/v1/pose/track', { objects, iterations: 1 });
  const thrice = await post<TrackAnswer>('/api/v1/pose/track', { objects, iterations: 3 });
  expect(once.objects[0].method).toBe('learned');
  expect(once.objects[0].pose).not.toEqual(thrice.objects[0].pose);
});

test('tracking takes a last pose of few digits', async () => {
  const rounded = fixture.true_pose.map((row) => row.map((value) => Number(value.toFixed(3))));
  const pose = [...rounded.slice(0, 3), [0, 0, 0, 1]];
  expect(rigidProblem(pose.flat(), 1e-4)).not.toBeNull();
  const fields = { objects: [{ ...object, pose }], iterations: 1 };
  const { objects } = await post<TrackAnswer>('/api/v1/pose/track', fields);
  expect(objects[0].method).toBe('learned');
  expect(rigidProblem(objects[0].pose.flat(), 1e-4)).toBeNull();
});

test('/models/info and /health say so', async () => {
  const info = await app.handle(new Request('http://localhost/models/info'));
  expect(await info.json()).toMatchObject({
    pose_model: {
      methods: ['geometric', 'learned'],
      default_method: 'learned',
      model: 'foundationpose-tiny',
    },
    models: { pose: [expect.objectContaining({ id: 'foundationpose-tiny', origin: 'local' })] },
  });
  const health = await app.handle(new Request('http://localhost/health'));
  expect(((await health.json()) as { models_loaded: string[] }).models_loaded).toContain(
    'foundationpose-tiny',
  );
});

test('a model that is installed and broken is told where it is asked for', async () => {
  const folder = join(root, 'foundationpose-tiny');
  const file = join(folder, 'score_net.onnx');
  const kept = readFileSync(file);
  writeFileSync(
    file,
    kept.map(() => 255),
  );
  const objects = [{ ...object, pose: [...fixture.true_pose.slice(0, 3), [0, 0, 0, 1]] }];
  const response = await app.handle(
    new Request('http://localhost/api/v1/pose/track', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...body, objects, method: 'learned' }),
    }),
  );
  writeFileSync(file, kept);
  expect(response.status).toBe(503);
  expect(((await response.json()) as { detail: string }).detail).toMatch(
    /; foundationpose-tiny is installed and cannot be used: `bun run models verify foundationpose-tiny`/,
  );
});
