import type { CameraVertices } from './camera_vertices.ts';
import type { Coverage, ScreenCorner } from './coverage.ts';

/** Draws all triangles [F, 3], with the numbers 1 to F; what is nearer than `near` is cut off. */
export function drawTriangles(
  coverage: Coverage,
  camera: CameraVertices,
  indices: Uint32Array,
  near: number,
): void {
  const { x, y, inverseZ } = camera;
  for (let at = 0, id = 1; at < indices.length; at += 3, id++) {
    const a = indices[at];
    const b = indices[at + 1];
    const c = indices[at + 2];
    const za = inverseZ[a];
    const zb = inverseZ[b];
    const zc = inverseZ[c];
    if (za !== 0 && zb !== 0 && zc !== 0) {
      coverage.draw(id, x[a], y[a], za, x[b], y[b], zb, x[c], y[c], zc);
    } else if (za !== 0 || zb !== 0 || zc !== 0) {
      drawCut(coverage, camera, id, [a, b, c], near);
    }
  }
}

/** A triangle that crosses the plane z = near: what is beyond has three or four corners. */
function drawCut(
  coverage: Coverage,
  camera: CameraVertices,
  id: number,
  triangle: readonly number[],
  near: number,
): void {
  const corners: ScreenCorner[] = [];
  triangle.forEach((vertex, side) => {
    const next = triangle[(side + 1) % 3];
    const { x, y, inverseZ } = camera;
    if (inverseZ[vertex] !== 0) {
      corners.push({ x: x[vertex], y: y[vertex], inverseZ: inverseZ[vertex] });
    }
    if ((inverseZ[vertex] !== 0) !== (inverseZ[next] !== 0)) {
      corners.push(crossing(camera, vertex, next, near));
    }
  });
  const [first] = corners;
  for (let at = 1; at + 1 < corners.length; at++) {
    const b = corners[at];
    const c = corners[at + 1];
    coverage.draw(id, first.x, first.y, first.inverseZ, b.x, b.y, b.inverseZ, c.x, c.y, c.inverseZ);
  }
}

/** Where the edge between two vertices meets z = near. */
function crossing(camera: CameraVertices, p: number, q: number, near: number): ScreenCorner {
  const { points, scaleX, shiftX, scaleY, shiftY } = camera;
  // In one direction for both triangles of an edge, so that they meet at the same point.
  const [a, b] = p < q ? [p * 3, q * 3] : [q * 3, p * 3];
  const t = (near - points[a + 2]) / (points[b + 2] - points[a + 2]);
  const x = points[a] + t * (points[b] - points[a]);
  const y = points[a + 1] + t * (points[b + 1] - points[a + 1]);
  return {
    x: Math.floor((scaleX * x) / near + shiftX + 0.5),
    y: Math.floor((scaleY * y) / near + shiftY + 0.5),
    inverseZ: 1 / near,
  };
}
