import { renderPoses, VIEW } from '../../kernels/render-poses/kernel.ts';
import { openCpuBackend } from '../../src/compute/cpu/backend.ts';
import type { Mesh } from '../../src/media/mesh/mesh.ts';
import type { RgbdFrame } from '../../src/pose/method.ts';
import { toRenderMesh } from '../../src/pose/render_mesh.ts';
import { seeded } from '../numbers.ts';
import { type GeneratedObject, generatedObject } from './objects.ts';

/** A generated object as a depth camera sees it. */
export interface GeneratedScene {
  readonly object: GeneratedObject;
  readonly frame: RgbdFrame;
  readonly mask: Uint8Array;
  /** float32 [4, 4], row-major: the mesh's own coordinates → camera, metres. */
  readonly truth: Float32Array<ArrayBuffer>;
}

const [WIDTH, HEIGHT] = [320, 240];
const LENS = { fx: 290, fy: 288, cx: 158.2, cy: 121.4 };

/**
 * Scene `seed` of an object: anyhow turned, before a slanted wall that it nearly touches or not, half
 * a metre and more away. `occlusion` is the share of its pixels that a board from any side hides.
 */
export function generatedScene(
  index: number,
  seed: number,
  occlusion: number,
): Promise<GeneratedScene> {
  const random = seeded(seed * 7919 + index);
  const object = generatedObject(index);
  const place = [(random() - 0.5) * 0.2, (random() - 0.5) * 0.15, 0.55 + random() * 0.25];
  const centered = randomPose(random, place);
  const truth = centered.slice();
  for (let row = 0; row < 12; row += 4) {
    for (let axis = 0; axis < 3; axis++) {
      truth[row + 3] -= centered[row + axis] * object.mesh.center[axis];
    }
  }
  return sceneAt(object, truth, occlusion, seed * 7919 + index + 1);
}

/** The same object elsewhere, all else as `seed` has it. */
export async function sceneAt(
  object: GeneratedObject,
  truth: Float32Array<ArrayBuffer>,
  occlusion: number,
  seed: number,
): Promise<GeneratedScene> {
  const random = seeded(seed);
  const shown = await renderDepth(object.mesh, truth);
  const [isHidden, far] = [board(shown, occlusion, random), farthest(shown)];
  const wall = { gap: 0.01 + random() * 0.25, u: random() * 8e-4, v: random() * 8e-4 };
  const near = far - object.mesh.diameter - 0.05;
  const depth = new Float32Array(WIDTH * HEIGHT);
  const mask = new Uint8Array(WIDTH * HEIGHT);
  for (let pixel = 0; pixel < depth.length; pixel++) {
    const [u, v] = [pixel % WIDTH, Math.floor(pixel / WIDTH)];
    const hidden = isHidden(u, v);
    const behind = far + wall.gap + u * wall.u + v * wall.v;
    depth[pixel] = measured(hidden ? near : shown[pixel] || behind, random);
    mask[pixel] = !hidden && shown[pixel] > 0 ? 255 : 0;
  }
  const rgb = new Uint8Array(WIDTH * HEIGHT * 3).fill(128);
  const frame = { width: WIDTH, height: HEIGHT, rgb, depth, intrinsics: LENS };
  return { object, frame, mask, truth };
}

/** What a sensor makes of a depth: noise that grows with its square, steps of a millimetre, losses. */
function measured(z: number, random: () => number): number {
  // Normal noise by the sum of uniform numbers (Irwin and Hall).
  let normal = -6;
  for (let term = 0; term < 12; term++) normal += random();
  if (random() < 0.04) return 0;
  return Math.round((z + normal * 0.0015 * z * z) * 1000) / 1000;
}

/** A rotation anyhow (Shoemake 1992), at a place. */
function randomPose(random: () => number, place: readonly number[]): Float32Array<ArrayBuffer> {
  const [share, a, b] = [random(), random() * 2 * Math.PI, random() * 2 * Math.PI];
  const [p, q] = [Math.sqrt(1 - share), Math.sqrt(share)];
  const [x, y, z, w] = [p * Math.sin(a), p * Math.cos(a), q * Math.sin(b), q * Math.cos(b)];
  const rows = [
    [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
    [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
    [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
  ];
  return Float32Array.of(...rows.flatMap((row, at) => [...row, place[at]]), 0, 0, 0, 1);
}

/** Which pixels a board hides that comes from one side and leaves its share of what is shown. */
function board(shown: Float32Array, share: number, random: () => number) {
  const side = Math.floor(random() * 4);
  const along = (u: number, v: number) => [u, WIDTH - 1 - u, v, HEIGHT - 1 - v][side];
  const places: number[] = [];
  shown.forEach((z, pixel) => {
    if (z > 0) places.push(along(pixel % WIDTH, Math.floor(pixel / WIDTH)));
  });
  places.sort((a, b) => a - b);
  const edge = share === 0 ? -1 : places[Math.floor(places.length * share)];
  return (u: number, v: number) => along(u, v) < edge;
}

function farthest(shown: Float32Array): number {
  return shown.reduce((far, z) => Math.max(far, z), 0);
}

/** Depth of a mesh at a pose of its own coordinates: float32 [height, width], 0 beside it. */
async function renderDepth(mesh: Mesh, truth: Float32Array): Promise<Float32Array> {
  const backend = openCpuBackend(1);
  const drawn = toRenderMesh({ ...mesh, center: [0, 0, 0] });
  const window = Float32Array.of(-0.5, -0.5, WIDTH - 0.5, HEIGHT - 0.5);
  const tensors = [drawn.vertices, drawn.indices, drawn.texels, truth, window].map((values) =>
    backend.upload(values, [values.length]),
  );
  const xyz = backend.empty('float32', [WIDTH * HEIGHT * 3]);
  backend.draw(renderPoses, [...tensors, backend.empty('float32', [1]), xyz], {
    ...LENS,
    width: WIDTH,
    height: HEIGHT,
    images: 1,
    faces: drawn.faces,
    texture_width: 0,
    texture_height: 0,
    colored: 0,
    ...VIEW,
  });
  const points = await backend.download(xyz);
  return points.filter((_, at) => at % 3 === 2);
}
