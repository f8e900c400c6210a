/** An ellipsoid with three different axes, seen by a depth camera without noise: analytic. */
import { xyzNormals } from '../../kernels/xyz-normals/kernel.ts';
import { seeded } from '../../test/numbers.ts';
import type { Backend } from '../compute/backend.ts';
import type { ModelCloud, ObservedSurface } from './refine_icp.ts';

const AXES = [0.07, 0.05, 0.035] as const;
const [WIDTH, HEIGHT] = [72, 64];
const intrinsics = { fx: 260, fy: 255, cx: 34.2, cy: 33.1 };
const IDENTITY = Float32Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1);

/** float32 [4, 4] turned about x, then y, then z (radians), and moved. */
export function poseOf(
  turn: readonly number[],
  place: readonly number[],
): Float32Array<ArrayBuffer> {
  const [a, b, c] = turn.map(Math.cos);
  const [p, q, r] = turn.map(Math.sin);
  const first = [b * c, p * q * c - a * r, a * q * c + p * r, place[0]];
  const second = [b * r, p * q * r + a * c, a * q * r - p * c, place[1]];
  return Float32Array.of(...first, ...second, -q, p * b, a * b, place[2], 0, 0, 0, 1);
}

/** Degrees and metres between two poses [4, 4]. */
export function poseError(a: Float32Array, b: Float32Array): { angle: number; distance: number } {
  let squares = 0;
  for (const at of [0, 1, 2, 4, 5, 6, 8, 9, 10]) squares += (a[at] - b[at]) ** 2;
  // |A − B|_F = √8·sin(angle/2), which is precise for small angles.
  const angle = 2 * Math.asin(Math.min(Math.sqrt(squares / 8), 1)) * (180 / Math.PI);
  return { angle, distance: Math.hypot(a[3] - b[3], a[7] - b[7], a[11] - b[11]) };
}

/** Where each ray meets the ellipsoid at a pose, and the kernel's normals. */
export function observe(backend: Backend, pose: Float32Array): ObservedSurface {
  const points = new Float32Array(WIDTH * HEIGHT * 3);
  const inObject = (x: number, y: number, z: number) =>
    AXES.map((axis, k) => (pose[k] * x + pose[4 + k] * y + pose[8 + k] * z) / axis);
  const origin = inObject(-pose[3], -pose[7], -pose[11]);
  for (let pixel = 0; pixel < WIDTH * HEIGHT; pixel++) {
    const x = ((pixel % WIDTH) - intrinsics.cx) / intrinsics.fx;
    const y = (Math.floor(pixel / WIDTH) - intrinsics.cy) / intrinsics.fy;
    const ray = inObject(x, y, 1);
    const dot = (a: number[], b: number[]) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    const root = dot(ray, origin) ** 2 - dot(ray, ray) * (dot(origin, origin) - 1);
    if (root <= 0) continue;
    const z = (-dot(ray, origin) - Math.sqrt(root)) / dot(ray, ray);
    points.set([x * z, y * z, z], pixel * 3);
  }
  const xyz = backend.upload(points, [HEIGHT, WIDTH, 3]);
  const normals = backend.empty('float32', [HEIGHT, WIDTH, 3]);
  const size = { width: WIDTH, height: HEIGHT, images: 1 };
  backend.run(xyzNormals, [xyz, normals], { ...size, radius: 1, max_difference: 0.01 });
  return { xyz, normals, width: WIDTH, height: HEIGHT, intrinsics };
}

/** Random points of the ellipsoid in its own frame; one set. */
export function ellipsoidCloud(backend: Backend, count: number): ModelCloud {
  const random = seeded(3);
  const points = new Float32Array(count * 3);
  const normals = new Float32Array(count * 3);
  for (let at = 0; at < points.length; at += 3) {
    const [height, turn] = [random() * 2 - 1, random() * 2 * Math.PI];
    const ring = Math.sqrt(1 - height * height);
    const unit = [ring * Math.cos(turn), ring * Math.sin(turn), height];
    const slope = unit.map((value, axis) => value / AXES[axis]);
    const length = Math.hypot(...slope);
    points.set(
      unit.map((value, axis) => value * AXES[axis]),
      at,
    );
    normals.set(
      slope.map((value) => value / length),
      at,
    );
  }
  return {
    points: backend.upload(points, [1, count, 3]),
    normals: backend.upload(normals, [1, count, 3]),
    frames: backend.upload(IDENTITY, [1, 4, 4]),
    sets: 1,
    count,
  };
}
