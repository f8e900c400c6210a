import { beforeAll, describe, expect, test } from 'bun:test';
import { openCpuBackend } from '../compute/cpu/backend.ts';
import { decodeDepthPng } from '../media/depth_png.ts';
import { decodeImage } from '../media/image.ts';
import { decodeMask } from '../media/mask_image.ts';
import { demoBytes, scene } from './demo_fixture.ts';
import { meshKey } from './mesh_key.ts';
import { PoseEngine } from './pipeline.ts';
import { type PoseTask, poseTask } from './task.ts';

const LIMITS = { maxPixels: 1e6, maxBytes: 1e6 };

let task: PoseTask & { readonly ask: { readonly type: 'track' } };
let mask: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  const image = await decodeImage(await demoBytes('rgb.png'), LIMITS);
  const { data } = await decodeDepthPng(await demoBytes('depth.png'), LIMITS);
  const mesh = await demoBytes('mesh.ply');
  mask = (await decodeMask(await demoBytes('mask.png'), LIMITS)).data;
  const [[fx, , cx], [, fy, cy]] = scene.camera_matrix;
  task = {
    files: {
      mesh,
      texture: null,
      material: null,
      scale: 1,
      key: await meshKey([mesh, null, null], 1),
      prefix: 'objects.3.',
      maxBytes: 1e6,
      maxTriangles: 1000,
    },
    symmetries: {},
    frame: {
      width: image.width,
      height: image.height,
      rgb: image.data,
      depth: Float32Array.from(data, (units) => units / 1000),
      intrinsics: { fx, fy, cx, cy },
    },
    ask: {
      type: 'track',
      field: 'objects.3.pose',
      last: Float32Array.from(scene.pose.flat()),
      options: {},
    },
    model: null,
  };
});

async function outcome(engine: PoseEngine, one: PoseTask) {
  const [result] = await engine.runAll([one]);
  if ('error' in result) throw result.error;
  return result.output;
}

describe('the engine', () => {
  test('reads a mesh once: what comes with its key is the same', async () => {
    const engine = new PoseEngine(openCpuBackend(1));
    const first = await outcome(engine, task);
    expect(first).toMatchObject({ type: 'found', poses: [expect.anything()] });
    const garbage = { ...task, files: { ...task.files, mesh: new Uint8Array(9) } };
    expect(await outcome(engine, garbage)).toEqual(first);
    // The check can fail: under another key it is read.
    const other = { ...garbage, files: { ...garbage.files, key: 'another' } };
    expect(await outcome(engine, other)).toMatchObject({ type: 'refused', part: 'mesh' });
  });

  test('tells the caller’s faults by their fields, and goes on', async () => {
    const engine = new PoseEngine(openCpuBackend(1));
    const register = {
      type: 'register',
      field: 'objects.3.mask',
      mask: new Uint8Array(mask.length),
      options: {},
      scales: null,
    } as const;
    const cases: [PoseTask, 'mesh' | 'pose', RegExp][] = [
      [{ ...task, ask: register }, 'pose', /^objects\.3\.mask: .*at least 4/],
      [
        { ...task, files: { ...task.files, key: 'x', maxTriangles: 3 } },
        'mesh',
        /^objects\.3\.mesh has \d+ vertices; at most 9/,
      ],
      [
        { ...task, symmetries: { discrete: [[1]] } },
        'pose',
        /^objects\.3\.symmetries: discrete\[0\]/,
      ],
    ];
    for (const [one, part, message] of cases) {
      const refused = await outcome(engine, one);
      expect(refused).toEqual({ type: 'refused', part, message: expect.stringMatching(message) });
    }
    expect(await outcome(engine, task)).toMatchObject({ type: 'found' });
  });

  test('leaves nothing on the device', async () => {
    const backend = openCpuBackend(1);
    const engine = new PoseEngine(backend);
    await outcome(engine, task);
    const { usedBytes } = backend.memory();
    await outcome(engine, task);
    expect(backend.memory().usedBytes).toBe(usedBytes);
  });
});

test('a mesh is named by all its files and its scale', async () => {
  const [a, b] = [Uint8Array.of(1), Uint8Array.of(2)];
  const keys = [
    await meshKey([a, null, null], 1),
    await meshKey([a, b, null], 1),
    await meshKey([a, null, b], 1),
    await meshKey([a, null, null], 0.001),
    await meshKey([b, null, null], 1),
  ];
  expect(new Set(keys).size).toBe(keys.length);
  expect(await meshKey([Uint8Array.of(1), null, null], 1)).toBe(keys[0]);
  expect(poseTask.affinity?.(task)).toBe(task.files.key);
});
