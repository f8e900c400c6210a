import type { Mesh } from '../../src/media/mesh/mesh.ts';

/** Triangles of a generated shape. */
export interface Solid {
  /** x, y, z of each vertex. */
  readonly positions: readonly number[];
  readonly indices: readonly number[];
}

type Point = readonly [x: number, y: number, z: number];

/** Where a point of the unit square lies in space. */
type Patch = (u: number, v: number) => Point;

/** A surface over a grid of the unit square. */
function patch(across: number, down: number, at: Patch): Solid {
  const positions: number[] = [];
  const indices: number[] = [];
  for (let row = 0; row <= down; row++) {
    for (let column = 0; column <= across; column++) {
      positions.push(...at(column / across, row / down));
      if (row === down || column === across) continue;
      const first = row * (across + 1) + column;
      const below = first + across + 1;
      indices.push(first, below, first + 1, first + 1, below, below + 1);
    }
  }
  return { positions, indices };
}

/** Shapes put together, as they stand. */
export function union(...solids: readonly Solid[]): Solid {
  const positions: number[] = [];
  const indices: number[] = [];
  for (const solid of solids) {
    const first = positions.length / 3;
    for (const value of solid.positions) positions.push(value);
    for (const index of solid.indices) indices.push(first + index);
  }
  return { positions, indices };
}

/** A box, each of its sides a grid. */
export function box(center: Point, size: Point): Solid {
  const sides = [0, 1, 2].flatMap((axis) =>
    [-0.5, 0.5].map((side) =>
      patch(6, 6, (u, v) => {
        const point: [number, number, number] = [...center];
        point[axis] += side * size[axis];
        point[(axis + 1) % 3] += (u - 0.5) * size[(axis + 1) % 3];
        point[(axis + 2) % 3] += (v - 0.5) * size[(axis + 2) % 3];
        return point;
      }),
    ),
  );
  return union(...sides);
}

/** A surface of revolution about the z axis through radii and heights. */
export function lathe(profile: readonly (readonly [radius: number, z: number])[]): Solid {
  const bands = profile.slice(1).map(([radius, z], band) => {
    const [first, low] = profile[band];
    return patch(36, 3, (u, v) => {
      const [turn, ring] = [u * 2 * Math.PI, first + (radius - first) * v];
      return [ring * Math.cos(turn), ring * Math.sin(turn), low + (z - low) * v];
    });
  });
  return union(...bands);
}

/** A tube of a radius along points. */
export function tube(points: readonly Point[], radius: number): Solid {
  const pieces = points.slice(1).map((to, at) => {
    const from = points[at];
    const along = unit([to[0] - from[0], to[1] - from[1], to[2] - from[2]]);
    const first = unit(cross(along, Math.abs(along[0]) < 0.7 ? [1, 0, 0] : [0, 1, 0]));
    const second = cross(along, first);
    return patch(12, 2, (u, v) => {
      const [c, s] = [Math.cos(u * 2 * Math.PI) * radius, Math.sin(u * 2 * Math.PI) * radius];
      const axis = (k: number) => from[k] + (to[k] - from[k]) * v + first[k] * c + second[k] * s;
      return [axis(0), axis(1), axis(2)];
    });
  });
  return union(...pieces);
}

/** A star-shaped body: how far its surface is from the origin in each direction. */
export function ball(radius: (direction: Point) => number): Solid {
  return patch(40, 20, (u, v) => {
    const [turn, fall] = [u * 2 * Math.PI, v * Math.PI];
    const ring = Math.sin(fall);
    const [x, y, z] = [ring * Math.cos(turn), ring * Math.sin(turn), Math.cos(fall)];
    const far = radius([x, y, z]);
    return [x * far, y * far, z * far];
  });
}

/** Turned about the z axis through the origin. */
export function turned({ positions, indices }: Solid, radians: number): Solid {
  const [c, s] = [Math.cos(radians), Math.sin(radians)];
  const moved = positions.map((value, at) => {
    if (at % 3 === 2) return value;
    return at % 3 === 0 ? c * value - s * positions[at + 1] : s * positions[at - 1] + c * value;
  });
  return { positions: moved, indices };
}

/** In metres: scaled, then moved. */
export function meshOf({ positions, indices }: Solid, scale: number, offset: Point): Mesh {
  const metres = Float32Array.from(positions, (value, at) => value * scale + offset[at % 3]);
  const low = [0, 1, 2].map((axis) => extreme(metres, axis, Math.min));
  const high = [0, 1, 2].map((axis) => extreme(metres, axis, Math.max));
  return {
    positions: metres,
    indices: Uint32Array.from(indices),
    colors: null,
    uvs: null,
    texture: null,
    diameter: widest(metres),
    center: [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2],
    extents: [high[0] - low[0], high[1] - low[1], high[2] - low[2]],
  };
}

function extreme(metres: Float32Array, axis: number, of: (a: number, b: number) => number): number {
  let most = metres[axis];
  for (let at = axis; at < metres.length; at += 3) most = of(most, metres[at]);
  return most;
}

/** The largest distance between two vertices. */
function widest(metres: Float32Array): number {
  let most = 0;
  for (let a = 0; a < metres.length; a += 3) {
    for (let b = 0; b < a; b += 3) {
      const x = metres[a] - metres[b];
      const y = metres[a + 1] - metres[b + 1];
      const z = metres[a + 2] - metres[b + 2];
      most = Math.max(most, x * x + y * y + z * z);
    }
  }
  return Math.sqrt(most);
}

function cross(a: Point, b: Point): Point {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function unit([x, y, z]: Point): Point {
  const length = Math.hypot(x, y, z);
  return [x / length, y / length, z / length];
}
