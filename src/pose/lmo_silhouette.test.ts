/** The renderer on a LINEMOD-Occlusion object at its true pose, against what the data set says of it. */
import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cropWarp } from '../../kernels/crop-warp/kernel.ts';
import { renderPoses, VIEW } from '../../kernels/render-poses/kernel.ts';
import { devices } from '../../test/devices.ts';
import type { Backend } from '../compute/backend.ts';
import { loadMesh } from '../media/mesh/load.ts';
import { cropSquares, cropToImage } from './crops.ts';
import { toRenderMesh } from './render_mesh.ts';

setDefaultTimeout(120_000);

const DATA = join(import.meta.dir, '../../../shared/data/pose/lmo');
const isPresent = existsSync(DATA);
if (!isPresent) console.warn('SKIPPED the LM-O silhouette: no ../shared/data/pose/lmo');

const [WIDTH, HEIGHT] = [640, 480];

interface Truth {
  readonly cam_R_m2c: readonly number[];
  readonly cam_t_m2c_mm: readonly number[];
  readonly silhouette_px: number;
}

async function load() {
  const bytes = await Bun.file(join(DATA, 'obj_05.ply')).bytes();
  const mesh = await loadMesh(bytes, { maxTriangles: 1e6, maxBytes: 1 << 25, scale: 0.001 });
  const truth: Truth = await Bun.file(join(DATA, 'gt_obj_05.json')).json();
  const { cam_K }: { cam_K: readonly number[] } = await Bun.file(join(DATA, 'camera.json')).json();
  const pose = new Float32Array(16);
  for (let row = 0; row < 3; row++) {
    const turn = truth.cam_R_m2c.slice(row * 3, row * 3 + 3);
    pose.set(turn, row * 4);
    const moved = turn.reduce((sum, value, axis) => sum + value * mesh.center[axis], 0);
    pose[row * 4 + 3] = moved + truth.cam_t_m2c_mm[row] / 1000;
  }
  pose[15] = 1;
  const intrinsics = { fx: cam_K[0], fy: cam_K[4], cx: cam_K[2], cy: cam_K[5] };
  return { mesh, truth, pose, intrinsics, drawn: toRenderMesh(mesh) };
}
const data = isPresent ? await load() : null;

/** Points [height, width, 3] in a window of the image. */
async function render(backend: Backend, window: Float32Array, width: number, height: number) {
  const { drawn, pose, intrinsics } = data!;
  const inputs = [drawn.vertices, drawn.indices, drawn.texels, pose, window].map((values) =>
    backend.upload(values as Float32Array, [values.length]),
  );
  const outputs = [1, width * height * 3].map((size) => backend.empty('float32', [size]));
  backend.draw(renderPoses, [...inputs, ...outputs], {
    ...intrinsics,
    width,
    height,
    images: 1,
    faces: drawn.faces,
    texture_width: 0,
    texture_height: 0,
    colored: 0,
    ...VIEW,
  });
  const xyz = await backend.download(outputs[1]);
  backend.release(...inputs, ...outputs);
  return xyz;
}

const WHOLE = Float32Array.of(-0.5, -0.5, WIDTH - 0.5, HEIGHT - 0.5);

describe.skipIf(!isPresent).each(devices)('object 5 of LM-O on %s', (_, backend) => {
  test('its silhouette at the true pose has as many pixels as the data set says', async () => {
    const xyz = await render(backend, WHOLE, WIDTH, HEIGHT);
    const pixels = xyz.filter((z, at) => at % 3 === 2 && z > 0).length;
    // A corner is rounded to 1/16 of a pixel in software, to 1/256 elsewhere.
    const slack = backend.info.kind === 'cpu' ? 0 : 10;
    expect(Math.abs(pixels - data!.truth.silhouette_px)).toBeLessThanOrEqual(slack);
  });

  test('its crop, rendered, is the crop of its rendered image', async () => {
    const { pose, intrinsics, mesh } = data!;
    const square = cropSquares(pose, { intrinsics, diameter: mesh.diameter, ratio: 1.2 });
    const size = square[2] - square[0];
    // Of whole pixels: between those of the image, the two would be at other places.
    const window = square.map((edge) => edge - 0.5);
    const crop = await render(backend, window, size, size);
    const inputs = [
      backend.upload(new Uint8Array(3), [3]),
      backend.upload(await render(backend, WHOLE, WIDTH, HEIGHT), [HEIGHT, WIDTH, 3]),
      backend.upload(cropToImage(window, size, size, 0.5), [1, 3, 3]),
    ];
    const outputs = [1, size * size * 3].map((count) => backend.empty('float32', [count]));
    backend.run(cropWarp, [...inputs, ...outputs], {
      src_width: WIDTH,
      src_height: HEIGHT,
      dst_width: size,
      dst_height: size,
      images: 1,
      colored: 0,
    });
    const warped = await backend.download(outputs[1]);
    backend.release(...inputs, ...outputs);
    const isSame = (value: number, at: number) => Math.abs(value - warped[at]) < 1e-5;
    expect(crop.filter((value) => value !== 0).length).toBeGreaterThan(9000);
    // Corners of triangles are rounded in the one as in the other, but for the last bit.
    expect(crop.filter((value, at) => !isSame(value, at)).length).toBeLessThan(crop.length * 1e-3);
    expect(
      crop.filter((value, at) => !isSame(value, (at + 3) % crop.length)).length,
    ).toBeGreaterThan(9000);
  });
});
