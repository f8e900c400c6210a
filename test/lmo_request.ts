/**
 * Builds the request of the FoundationPose REST API from a real frame, LINEMOD-Occlusion's:
 * `bun test/lmo_request.ts request.json`
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const DATA = join(import.meta.dir, '../../shared/data/pose/lmo');

export const hasLmo = existsSync(DATA);

/** Row-major, degrees of freedom as BOP has them. */
export interface LmoTruth {
  readonly cam_R_m2c: readonly number[];
  readonly cam_t_m2c_mm: readonly number[];
}

const base64 = async (name: string) =>
  Buffer.from(await Bun.file(join(DATA, name)).bytes()).toString('base64');

/** As the document's section 2.1 has it; the mesh is in millimetres, which `mesh_scale` says. */
export async function lmoRequest() {
  const { cam_K: k }: { cam_K: number[] } = await Bun.file(join(DATA, 'camera.json')).json();
  return {
    camera_matrix: [k.slice(0, 3), k.slice(3, 6), k.slice(6, 9)],
    images: [
      { filename: 'frame_000', rgb: await base64('rgb.png'), depth: await base64('depth.png') },
    ],
    mask: await base64('mask_obj_05.png'),
    mesh: await base64('obj_05.ply'),
    mesh_scale: 0.001,
  };
}

export function lmoTruth(): Promise<LmoTruth> {
  return Bun.file(join(DATA, 'gt_obj_05.json')).json();
}

if (import.meta.main) {
  const [out = 'request.json'] = process.argv.slice(2);
  if (!hasLmo)
    throw new Error('../shared/data/pose/lmo is not there: it is not part of this project');
  await Bun.write(out, JSON.stringify(await lmoRequest()));
  console.log(`wrote ${out}`);
}
