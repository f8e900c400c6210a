import { describe, expect, test } from 'bun:test';
import { bumpySphere } from '../../../kernels/render-poses/bench_sphere.ts';
import { simplify } from './simplify.ts';

const RINGS = 40;
const sphere = bumpySphere(RINGS);
const CENTER = [0.3, -0.2, 0.1];

/** float32 [V, 3], its middle at CENTER. */
const positions = Float32Array.from({ length: (sphere.vertices.length / 9) * 3 }, (_, at) => {
  const axis = at % 3;
  return sphere.vertices[Math.floor(at / 3) * 9 + axis] + CENTER[axis];
});

/** Largest distance of a vertex to the surface radius = 0.09 + 0.01·sin 5θ·cos 4φ. */
function worstDistance(vertices: Float32Array): number {
  let worst = 0;
  for (let at = 0; at < vertices.length; at += 9) {
    const [x, y, z] = vertices.subarray(at, at + 3);
    const radius = Math.hypot(x, y, z);
    const [theta, phi] = [Math.acos(z / radius), Math.atan2(y, x)];
    const surface = 0.09 + 0.01 * Math.sin(5 * theta) * Math.cos(4 * phi);
    worst = Math.max(worst, Math.abs(radius - surface));
  }
  return worst;
}

describe('simplify', () => {
  test('keeps the shape within a cell, with fewer triangles the larger it is', () => {
    const faces = [0.004, 0.01, 0.02].map((cell) => {
      const mesh = simplify(positions, sphere.indices, CENTER, cell);
      expect(worstDistance(mesh.vertices)).toBeLessThan(cell);
      expect(Math.max(...mesh.indices)).toBeLessThan(mesh.vertices.length / 9);
      expect(mesh.indices.length).toBe(mesh.faces * 3);
      return mesh.faces;
    });
    expect(faces[0]).toBeGreaterThan(faces[1]);
    expect(faces[1]).toBeGreaterThan(faces[2]);
    expect(faces[2]).toBeGreaterThan(100);
    const other = simplify(positions, sphere.indices, [0, 0, 0], 0.01);
    expect(worstDistance(other.vertices)).toBeGreaterThan(0.1);
  });

  test('a cell below all edges changes nothing, one above leaves nothing', () => {
    const same = simplify(
      Float32Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0),
      Uint32Array.of(2, 0, 1),
      [0, 0, 0],
      0.1,
    );
    expect([...same.indices]).toEqual([2, 0, 1]);
    expect([...same.vertices.subarray(9, 18)]).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test('a rod that is thinner than a cell keeps its shape', () => {
    const rod = positions.map((value, at) => (value - CENTER[at % 3]) * (at % 3 === 2 ? 1 : 0.02));
    const mesh = simplify(rod, sphere.indices, [0, 0, 0], 0.01);
    expect(mesh.faces).toBeGreaterThanOrEqual(64);
    const heights = mesh.vertices.filter((_, at) => at % 9 === 2);
    expect(Math.max(...heights)).toBeGreaterThan(0.085);
    expect(Math.min(...heights)).toBeLessThan(-0.085);
  });
});
