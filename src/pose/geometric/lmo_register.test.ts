/** The geometric method on a real frame: a LINEMOD-Occlusion object, a fifth of it hidden. */
import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { openCpuBackend } from '../../compute/cpu/backend.ts';
import { decodeDepthPng } from '../../media/depth_png.ts';
import { loadMesh } from '../../media/mesh/load.ts';
import { poseError } from '../ellipsoid_fixture.ts';
import { registerGeometric } from './register.ts';

setDefaultTimeout(120_000);

const DATA = join(import.meta.dir, '../../../../shared/data/pose/lmo');
const isPresent = existsSync(DATA);
if (!isPresent) console.warn('SKIPPED the LM-O registration: no ../shared/data/pose/lmo');

async function load() {
  const file = (name: string) => Bun.file(join(DATA, name));
  const limits = { maxPixels: 1e6, maxBytes: 1 << 25 };
  const mesh = await loadMesh(await file('obj_05.ply').bytes(), {
    maxTriangles: 1e6,
    maxBytes: 1 << 25,
    scale: 0.001,
  });
  const picture = await decodeDepthPng(await file('depth.png').bytes(), limits);
  const mask = await sharp(await file('mask_obj_05.png').bytes())
    .greyscale()
    .raw()
    .toBuffer();
  const { cam_K }: { cam_K: readonly number[] } = await file('camera.json').json();
  const truth: Readonly<Record<'cam_R_m2c' | 'cam_t_m2c_mm', readonly number[]>> =
    await file('gt_obj_05.json').json();
  const pose = new Float32Array(16);
  for (let row = 0; row < 3; row++) {
    pose.set(truth.cam_R_m2c.slice(row * 3, row * 3 + 3), row * 4);
    pose[row * 4 + 3] = truth.cam_t_m2c_mm[row] / 1000;
  }
  const observation = {
    width: picture.width,
    height: picture.height,
    depth: Float32Array.from(picture.data, (millimetres) => millimetres / 1000),
    mask: new Uint8Array(mask),
    intrinsics: { fx: cam_K[0], fy: cam_K[4], cx: cam_K[2], cy: cam_K[5] },
  };
  return { mesh, observation, pose };
}

describe.skipIf(!isPresent)('object 5 of LM-O on the cpu', () => {
  test('its pose is within 5° and 15 mm of the ground truth', async () => {
    const { mesh, observation, pose } = await load();
    const found = await registerGeometric(openCpuBackend(1), mesh, observation);
    const { angle, distance } = poseError(found.pose, pose);
    expect(angle).toBeLessThan(5);
    expect(distance).toBeLessThan(0.015);
    expect(found.inlierFraction).toBeGreaterThan(0.5);
    expect(found.score).toBeGreaterThan(0.4);
  });
});
