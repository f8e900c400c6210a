import type { Mesh } from '../../src/media/mesh/mesh.ts';
import type { PoseObject } from '../../src/pose/method.ts';

/** Vertices that distances are measured at. */
const POINTS = 500;

/** Mean distance between the vertices at two poses, by the diameter: ADD of Hinterstoisser et al. */
export function averageDistance(mesh: Mesh, a: Float32Array, b: Float32Array): number {
  const [from, to] = [placed(mesh, a), placed(mesh, b)];
  let sum = 0;
  for (let at = 0; at < from.length; at += 3) {
    sum += Math.hypot(from[at] - to[at], from[at + 1] - to[at + 1], from[at + 2] - to[at + 2]);
  }
  return sum / (from.length / 3) / mesh.diameter;
}

/** Mean distance of the vertices at one pose to the nearest at another, by the diameter: ADD-S. */
function nearestDistance(mesh: Mesh, a: Float32Array, b: Float32Array): number {
  const [from, to] = [placed(mesh, a), placed(mesh, b)];
  let sum = 0;
  for (let at = 0; at < from.length; at += 3) {
    let least = Number.POSITIVE_INFINITY;
    for (let other = 0; other < to.length; other += 3) {
      const [x, y] = [from[at] - to[other], from[at + 1] - to[other + 1]];
      const z = from[at + 2] - to[other + 2];
      least = Math.min(least, x * x + y * y + z * z);
    }
    sum += Math.sqrt(least);
  }
  return sum / (from.length / 3) / mesh.diameter;
}

/** ADD, and ADD-S of an object with symmetries; both by the diameter. */
export function poseDistance({ mesh, symmetries }: PoseObject, a: Float32Array, b: Float32Array) {
  return symmetries.length > 0 ? nearestDistance(mesh, a, b) : averageDistance(mesh, a, b);
}

/** Some of the vertices at a pose: float64 [n, 3]. */
function placed({ positions }: Mesh, pose: Float32Array): Float64Array {
  const count = positions.length / 3;
  const step = Math.max(1, Math.floor(count / POINTS));
  const points = new Float64Array(Math.ceil(count / step) * 3);
  for (let vertex = 0, to = 0; vertex < count; vertex += step, to += 3) {
    const [x, y, z] = positions.subarray(vertex * 3, vertex * 3 + 3);
    for (let row = 0; row < 3; row++) {
      const [a, b, c, t] = pose.subarray(row * 4, row * 4 + 4);
      points[to + row] = a * x + b * y + c * z + t;
    }
  }
  return points;
}
