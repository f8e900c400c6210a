/** Generated objects and frames of depth, for tests of object pose. */
import { renderPoses, VIEW } from '../../../kernels/render-poses/kernel.ts';
import { seeded } from '../../../test/numbers.ts';
import { openCpuBackend } from '../../compute/cpu/backend.ts';
import type { Mesh } from '../../media/mesh/mesh.ts';
import { poseOf } from '../ellipsoid_fixture.ts';
import { toRenderMesh } from '../render_mesh.ts';
import type { DepthObservation } from './crop.ts';

type Box = readonly [center: readonly number[], size: readonly number[]];

/** Objects of boxes, in units of their size; none is like itself when turned. */
const BOXES: readonly (readonly Box[])[] = [
  [
    [
      [0, 0, 0],
      [1, 0.35, 0.2],
    ],
    [
      [0.35, 0, 0.35],
      [0.3, 0.35, 0.6],
    ],
    [
      [-0.4, 0.25, 0],
      [0.2, 0.3, 0.2],
    ],
  ],
  [
    [
      [0, 0, 0],
      [0.6, 0.6, 0.12],
    ],
    [
      [-0.25, 0, 0.4],
      [0.1, 0.6, 0.8],
    ],
    [
      [0.2, 0.2, -0.3],
      [0.15, 0.15, 0.5],
    ],
    [
      [0.2, -0.25, -0.15],
      [0.15, 0.1, 0.25],
    ],
  ],
  [
    [
      [0, 0, 0],
      [0.4, 0.4, 0.7],
    ],
    [
      [0.35, 0, 0.1],
      [0.4, 0.12, 0.14],
    ],
    [
      [0, -0.3, -0.2],
      [0.15, 0.35, 0.15],
    ],
  ],
];

function meshOf(positions: readonly number[], indices: readonly number[]): Mesh {
  const axes = [0, 1, 2].map((axis) => positions.filter((_, at) => at % 3 === axis));
  const low = axes.map((values) => Math.min(...values));
  const high = axes.map((values) => Math.max(...values));
  const [x, y, z] = low.map((value, axis) => (value + high[axis]) / 2);
  let diameter = 0;
  for (let a = 0; a < positions.length; a += 3) {
    for (let b = 0; b < a; b += 3) {
      const square = [0, 1, 2].reduce(
        (sum, k) => sum + (positions[a + k] - positions[b + k]) ** 2,
        0,
      );
      diameter = Math.max(diameter, square);
    }
  }
  return {
    positions: Float32Array.from(positions),
    indices: Uint32Array.from(indices),
    colors: null,
    uvs: null,
    texture: null,
    diameter: Math.sqrt(diameter),
    center: [x, y, z],
    extents: [high[0] - low[0], high[1] - low[1], high[2] - low[2]],
  };
}

/** Boxes with every side cut into a grid of 6×6, some centimetres from the origin. */
function boxMesh(boxes: readonly Box[], size: number): Mesh {
  const positions: number[] = [];
  const indices: number[] = [];
  const steps = 6;
  for (const [center, extent] of boxes) {
    for (let side = 0; side < 6; side++) {
      const first = positions.length / 3;
      const axis = side % 3;
      for (let at = 0; at < (steps + 1) ** 2; at++) {
        const corner = [0, 0, 0];
        corner[axis] = side < 3 ? 0.5 : -0.5;
        corner[(axis + 1) % 3] = (at % (steps + 1)) / steps - 0.5;
        corner[(axis + 2) % 3] = Math.floor(at / (steps + 1)) / steps - 0.5;
        corner.forEach((value, k) => {
          positions.push((center[k] + value * extent[k]) * size + 0.05 * (k + 1));
        });
      }
      for (let cell = 0; cell < steps * steps; cell++) {
        const a = first + (cell % steps) + Math.floor(cell / steps) * (steps + 1);
        indices.push(a, a + 1, a + steps + 1, a + 1, a + steps + 2, a + steps + 1);
      }
    }
  }
  return meshOf(positions, indices);
}

/** A stone: a sphere with random waves, some centimetres from the origin. */
function stoneMesh(seed: number, size: number): Mesh {
  const random = seeded(seed);
  const waves = Array.from({ length: 5 }, () => ({
    along: [random(), random(), random()].map((value) => (value - 0.5) * 7),
    phase: random() * 6,
    height: 0.07 + random() * 0.08,
  }));
  const rings = 20;
  const positions: number[] = [];
  const indices: number[] = [];
  for (let at = 0; at < (rings + 1) * (rings * 2 + 1); at++) {
    const theta = (Math.PI * Math.floor(at / (rings * 2 + 1))) / rings;
    const phi = (Math.PI * (at % (rings * 2 + 1))) / rings;
    const ring = Math.sin(theta);
    const unit = [ring * Math.cos(phi), ring * Math.sin(phi), Math.cos(theta)];
    const radius = waves.reduce((sum, { along, phase, height }) => {
      const angle = along[0] * unit[0] + along[1] * unit[1] + along[2] * unit[2] + phase;
      return sum + height * Math.sin(angle);
    }, 0.5);
    unit.forEach((value, k) => {
      positions.push(value * radius * size * (1 - 0.2 * k) - 0.04 * (k + 1));
    });
  }
  for (let ring = 0; ring < rings; ring++) {
    for (let step = 0; step < rings * 2; step++) {
      const a = ring * (rings * 2 + 1) + step;
      const below = a + rings * 2 + 1;
      indices.push(a, below, a + 1, a + 1, below, below + 1);
    }
  }
  return meshOf(positions, indices);
}

/** Object `index` of any number, 12 to 20 cm large. */
export function generatedMesh(index: number): Mesh {
  const size = 0.12 + (index % 5) * 0.02;
  if (index < BOXES.length) return boxMesh(BOXES[index], size);
  return stoneMesh(index, size);
}

export interface GeneratedScene {
  readonly mesh: Mesh;
  readonly observation: DepthObservation;
  /** float32 [4, 4]: the mesh's own coordinates → camera. */
  readonly truth: Float32Array<ArrayBuffer>;
}

const [WIDTH, HEIGHT] = [320, 240];
const LENS = { fx: 290, fy: 288, cx: 158.2, cy: 121.4 };

/**
 * An object before a slanted wall, seen by a sensor with noise, steps of a millimetre and lost pixels;
 * `occlusion` is the share of its pixels that a board hides.
 */
export async function generatedScene(
  index: number,
  seed: number,
  occlusion: number,
): Promise<GeneratedScene> {
  const random = seeded(seed * 7919 + index);
  const mesh = generatedMesh(index);
  const place = [(random() - 0.5) * 0.2, (random() - 0.5) * 0.15, 0.55 + random() * 0.25];
  const pose = poseOf(
    [0, 0, 0].map(() => random() * 2 * Math.PI),
    place,
  );
  const shown = await renderDepth(mesh, pose);
  const depth = new Float32Array(WIDTH * HEIGHT);
  const mask = new Uint8Array(WIDTH * HEIGHT);
  const edge = boardEdge(shown, occlusion);
  for (let pixel = 0; pixel < depth.length; pixel++) {
    const [u, v] = [pixel % WIDTH, Math.floor(pixel / WIDTH)];
    const wall = place[2] + 0.25 + (u - WIDTH / 2) * 4e-4 + (v - HEIGHT / 2) * 3e-4;
    const isHidden = u < edge;
    const z = isHidden ? place[2] - 0.2 : shown[pixel] || wall;
    // Normal noise by the sum of uniform numbers (Irwin and Hall).
    const normal = Array.from({ length: 12 }, random).reduce((sum, value) => sum + value, -6);
    const measured = Math.round((z + normal * 0.0015 * z * z) * 1000) / 1000;
    depth[pixel] = random() < 0.04 ? 0 : measured;
    mask[pixel] = !isHidden && shown[pixel] > 0 ? 255 : 0;
  }
  const truth = pose.slice();
  for (let row = 0; row < 12; row += 4) {
    const [x, y, z] = pose.subarray(row, row + 3);
    truth[row + 3] -= x * mesh.center[0] + y * mesh.center[1] + z * mesh.center[2];
  }
  const observation = { width: WIDTH, height: HEIGHT, depth, mask, intrinsics: LENS };
  return { mesh, observation, truth };
}

/** The column that leaves `share` of what is shown on its left. */
function boardEdge(shown: Float32Array, share: number): number {
  const columns = Array.from(shown.entries(), ([pixel, z]) => (z > 0 ? pixel % WIDTH : -1))
    .filter((column) => column >= 0)
    .sort((a, b) => a - b);
  return share === 0 ? 0 : columns[Math.floor(columns.length * share)];
}

async function renderDepth(mesh: Mesh, pose: Float32Array): Promise<Float32Array> {
  const backend = openCpuBackend(1);
  const drawn = toRenderMesh(mesh);
  const window = Float32Array.of(-0.5, -0.5, WIDTH - 0.5, HEIGHT - 0.5);
  const tensors = [drawn.vertices, drawn.indices, drawn.texels, pose, window].map((values) =>
    backend.upload(values as Float32Array, [values.length]),
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

/** Mean distance between the vertices at two poses, by the diameter: ADD. */
export function averageDistance(mesh: Mesh, a: Float32Array, b: Float32Array): number {
  const { positions, diameter } = mesh;
  let sum = 0;
  for (let at = 0; at < positions.length; at += 3) {
    const [x, y, z] = positions.subarray(at, at + 3);
    const offset = [0, 4, 8].map((row) => {
      const turned = (a[row] - b[row]) * x + (a[row + 1] - b[row + 1]) * y;
      return turned + (a[row + 2] - b[row + 2]) * z + a[row + 3] - b[row + 3];
    });
    sum += Math.hypot(...offset);
  }
  return sum / (positions.length / 3) / diameter;
}
