/**
 * The renderer against OpenGL images of two bodies, by M3T (DLR-RM/3DObjectTracking, MIT): poses,
 * camera and crops are those of its M3T/test/renderer_test.cpp and common_test.cpp.
 */
import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { renderPoses, VIEW } from '../../kernels/render-poses/kernel.ts';
import { devices } from '../../test/devices.ts';
import type { Backend } from '../compute/backend.ts';
import { loadMesh } from '../media/mesh/load.ts';
import { toRenderMesh } from './render_mesh.ts';

setDefaultTimeout(120_000);

const DATA = join(import.meta.dir, '../../../shared/data/pose/renderer');
const isPresent = existsSync(DATA);
if (!isPresent) console.warn(`SKIPPED the renderer's reference: no ../shared/data/pose/renderer`);

const K = { fx: 698.128, fy: 698.617, cx: 478.459, cy: 274.426 };
const [NEAR, FAR] = [0.1, 2];
/** World → camera is a shift along x. */
const SHIFT = 0.01;
const TURN = [
  0.607676, 0.408914, -0.680823, 0.786584, -0.428213, 0.44488, -0.10962, -0.805867, -0.58186,
];

/** World → body has the rotation TURN; the geometry lies along the body's z; gray: its silhouette. */
const BODIES = [
  { name: 'triangle', translation: [0.472944, -0.213009, 0.346384], z: -0.006, gray: 150 },
  { name: 'schauma', translation: [0.297794, -0.189009, 0.255284], z: -0.097, gray: 50 },
] as const;
type Body = (typeof BODIES)[number];

/** Geometry's `center` → camera, [4, 4]: the inverse of world → body, after the geometry's shift. */
function poseOf({ translation, z }: Body, center: readonly number[]): Float32Array {
  const point = [center[0], center[1], center[2] + z].map(
    (value, axis) => value - translation[axis],
  );
  const pose = new Float32Array(16);
  for (let row = 0; row < 3; row++) {
    let moved = row === 0 ? SHIFT : 0;
    for (let column = 0; column < 3; column++) {
      pose[row * 4 + column] = TURN[column * 3 + row];
      moved += TURN[column * 3 + row] * point[column];
    }
    pose[row * 4 + 3] = moved;
  }
  pose[15] = 1;
  return pose;
}

interface View {
  readonly width: number;
  readonly height: number;
  readonly window: readonly number[];
  readonly files: string;
}

const FULL: View = { width: 640, height: 480, window: [-0.5, -0.5, 639.5, 479.5], files: '' };

async function loadBody(body: Body) {
  const bytes = await Bun.file(join(DATA, `_body/${body.name}.obj`)).bytes();
  const mesh = await loadMesh(bytes, { maxTriangles: 100_000, maxBytes: 1 << 24 });
  return { body, mesh, drawn: toRenderMesh(mesh), pose: poseOf(body, mesh.center) };
}
const bodies = isPresent ? await Promise.all(BODIES.map(loadBody)) : [];

/** z of one body [h, w], 0 where it is not seen. */
async function renderDepth(backend: Backend, one: (typeof bodies)[number], view: View) {
  const { vertices, indices, texels, faces } = one.drawn;
  const { width, height } = view;
  const inputs = [vertices, indices, texels, one.pose, Float32Array.from(view.window)].map((data) =>
    backend.upload(data as Float32Array, [data.length]),
  );
  const outputs = [1, width * height * 3].map((size) => backend.empty('float32', [size]));
  backend.draw(renderPoses, [...inputs, ...outputs], {
    ...K,
    width,
    height,
    images: 1,
    faces,
    texture_width: 0,
    texture_height: 0,
    colored: 0,
    ...VIEW,
    z_near: NEAR,
    z_far: FAR,
  });
  const xyz = await backend.download(outputs[1]);
  backend.release(...inputs, ...outputs);
  return Float32Array.from({ length: width * height }, (_, pixel) => xyz[pixel * 3 + 2]);
}

/** The nearer of the bodies: depth, and the body's gray. */
async function renderBoth(backend: Backend, view: View) {
  const parts = [];
  for (const one of bodies) parts.push(await renderDepth(backend, one, view));
  const depth = new Float32Array(view.width * view.height);
  const gray = new Uint8Array(depth.length);
  parts.forEach((part, index) => {
    part.forEach((z, pixel) => {
      if (z === 0 || (depth[pixel] !== 0 && depth[pixel] < z)) return;
      depth[pixel] = z;
      gray[pixel] = BODIES[index].gray;
    });
  });
  return { depth, gray };
}

async function readImage(name: string, depth: 'uchar' | 'ushort') {
  const pipeline = sharp(join(DATA, 'renderer_test', name)).toColourspace(
    depth === 'ushort' ? 'grey16' : 'b-w',
  );
  const { data, info } = await pipeline.raw({ depth }).toBuffer({ resolveWithObject: true });
  expect(info.channels).toBe(1);
  return depth === 'uchar' ? data : new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
}

/** Pixels of another silhouette, and the median and 99th percentile of |Δz| in millimetres. */
async function compare(backend: Backend, view: View) {
  const { depth, gray } = await renderBoth(backend, view);
  const silhouette = await readImage(`${view.files}silhouette_image.png`, 'uchar');
  const encoded = await readImage(`${view.files}depth_image.png`, 'ushort');
  const errors: number[] = [];
  let different = 0;
  gray.forEach((value, pixel) => {
    different += Number(value !== silhouette[pixel]);
    if (value === 0 || silhouette[pixel] !== value) return;
    // What OpenGL's perspective depth of 16 bits stands for.
    const z = (FAR * NEAR) / (FAR - (encoded[pixel] / 65535) * (FAR - NEAR));
    errors.push(Math.abs(z - depth[pixel]) * 1000);
  });
  errors.sort((a, b) => a - b);
  const at = (share: number) => errors[Math.floor(errors.length * share)];
  return { different, seen: errors.length, median: at(0.5), p99: at(0.99) };
}

/** M3T's focused view of the triangle: a square that holds its sphere, 1.05 times as large. */
function focusedView(): View {
  const [{ mesh, body }] = bodies;
  const radius = Math.max(
    ...Array.from({ length: mesh.positions.length / 3 }, (_, vertex) => {
      const [x, y, z] = mesh.positions.subarray(vertex * 3, vertex * 3 + 3);
      return Math.hypot(x, y, z + body.z);
    }),
  );
  const origin = poseOf(body, [0, 0, -body.z]);
  const [x, y, z] = [origin[3], origin[7], origin[11]];
  const reach = (focal: number, away: number) =>
    (focal *
      (Math.abs(away) * radius ** 2 + radius * z * Math.sqrt(z * z - radius ** 2 + away ** 2))) /
    ((z * z - radius ** 2) * z);
  const side = 2 * Math.max(reach(K.fx, x), reach(K.fy, y)) * 1.05;
  const size = 200;
  const left = (K.fx * x) / z + K.cx - side / 2 - side / size / 2;
  const top = (K.fy * y) / z + K.cy - side / 2 - side / size / 2;
  return {
    width: size,
    height: size,
    window: [left, top, left + side, top + side],
    files: 'focused_',
  };
}

/**
 * Software rounds corners to 1/16 of a pixel and other devices to 1/256: there a pixel may fall to
 * the other side of an edge. M3T's own test allows ten.
 */
function mostDifferent({ info }: Backend): number {
  return info.kind === 'cpu' ? 0 : 10;
}

describe.skipIf(!isPresent).each(devices)('the renderer on %s', (_, backend) => {
  test('full image: the silhouettes and depth of OpenGL', async () => {
    const found = await compare(backend, FULL);
    expect(found.seen).toBeGreaterThan(10_000);
    expect(found.different).toBeLessThanOrEqual(mostDifferent(backend));
    expect(found.median).toBeLessThan(0.05);
  });

  test('a crop: the silhouettes and depth of OpenGL', async () => {
    const found = await compare(backend, focusedView());
    expect(found.seen).toBeGreaterThan(10_000);
    expect(found.different).toBeLessThanOrEqual(mostDifferent(backend));
    expect(found.median).toBeLessThan(0.05);
  });

  test('control: a tenth of a pixel is told apart', async () => {
    const window = FULL.window.map((edge) => edge + 0.1);
    const found = await compare(backend, { ...FULL, window });
    expect(found.different).toBeGreaterThan(20);
    expect(found.median).toBeGreaterThan(0.05);
  });
});
