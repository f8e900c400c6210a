import { existsSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { decodeDepthPng } from '../../src/media/depth_png.ts';
import { decodeImage } from '../../src/media/image.ts';
import { loadMesh } from '../../src/media/mesh/load.ts';
import type { PoseObject, RgbdFrame } from '../../src/pose/method.ts';

const FOLDER = join(import.meta.dir, '../../../shared/data/pose/lmo');

/** Whether the real frame is there: it is no part of the repository. */
export const isLmoPresent = existsSync(FOLDER);

/** A real frame: object 5 of LINEMOD-Occlusion, a fifth of it hidden. */
interface LmoFrame {
  readonly object: PoseObject;
  readonly frame: RgbdFrame;
  readonly mask: Uint8Array;
  /** float32 [4, 4], row-major: the mesh's own coordinates → camera, metres. */
  readonly truth: Float32Array<ArrayBuffer>;
}

export async function loadLmo(): Promise<LmoFrame> {
  const limits = { maxPixels: 1e6, maxBytes: 1 << 25 };
  const file = (name: string) => Bun.file(join(FOLDER, name));
  const meshLimits = { maxTriangles: 1e6, maxBytes: 1 << 25, scale: 0.001 };
  const mesh = await loadMesh(await file('obj_05.ply').bytes(), meshLimits);
  const { width, height, data } = await decodeDepthPng(await file('depth.png').bytes(), limits);
  const color = await decodeImage(await file('rgb.png').bytes(), limits);
  const { cam_K }: { cam_K: readonly number[] } = await file('camera.json').json();
  const frame = {
    width,
    height,
    rgb: color.data,
    depth: Float32Array.from(data, (millimetres) => millimetres / 1000),
    intrinsics: { fx: cam_K[0], fy: cam_K[4], cx: cam_K[2], cy: cam_K[5] },
  };
  const mask = await sharp(await file('mask_obj_05.png').bytes())
    .greyscale()
    .raw()
    .toBuffer();
  const object = { mesh, symmetries: [] };
  return { object, frame, mask: new Uint8Array(mask), truth: await loadTruth() };
}

async function loadTruth(): Promise<Float32Array<ArrayBuffer>> {
  const { cam_R_m2c, cam_t_m2c_mm }: Record<'cam_R_m2c' | 'cam_t_m2c_mm', readonly number[]> =
    await Bun.file(join(FOLDER, 'gt_obj_05.json')).json();
  const pose = new Float32Array(16);
  for (let row = 0; row < 3; row++) {
    pose.set(cam_R_m2c.slice(row * 3, row * 3 + 3), row * 4);
    pose[row * 4 + 3] = cam_t_m2c_mm[row] / 1000;
  }
  pose[15] = 1;
  return pose;
}
