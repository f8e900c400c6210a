/** A mesh of positions alone, as the kernel `render-poses` takes it without colours. */
export interface ShapeMesh {
  /** float32 [V, 9]: the position, and six zeros. */
  readonly vertices: Float32Array<ArrayBuffer>;
  /** uint32 [F, 3]. */
  readonly indices: Uint32Array<ArrayBuffer>;
  readonly faces: number;
}

/** Triangles that a shape must keep, if it has as many. */
const MIN_FACES = 64;

/** How often a cell is halved for them. */
const MAX_HALVINGS = 8;

/**
 * Fewer triangles by clustering vertices (Rossignac and Borrel 1993): those in a cube of the side
 * `cell` become their mean, and triangles of fewer than three cubes vanish. The cell is halved where so few
 * are left, as of a rod, that there is no shape.
 *
 * @param positions float32 [V, 3]
 * @param indices uint32 [F, 3]
 * @param center becomes the origin
 * @param cell metres
 */
export function simplify(
  positions: Float32Array,
  indices: Uint32Array,
  center: readonly number[],
  cell: number,
): ShapeMesh {
  const least = Math.min(MIN_FACES, indices.length / 6);
  let mesh = clustered(positions, indices, center, cell);
  for (let halving = 1; mesh.faces < least && halving <= MAX_HALVINGS; halving++) {
    mesh = clustered(positions, indices, center, cell / 2 ** halving);
  }
  return mesh;
}

function clustered(
  positions: Float32Array,
  indices: Uint32Array,
  center: readonly number[],
  cell: number,
): ShapeMesh {
  const { clusterOf, sums } = cluster(positions, center, cell);
  const vertices = new Float32Array((sums.length / 4) * 9);
  for (let at = 0; at < sums.length / 4; at++) {
    const [x, y, z, count] = sums.slice(at * 4, at * 4 + 4);
    vertices.set([x / count, y / count, z / count], at * 9);
  }
  const kept: number[] = [];
  for (let at = 0; at < indices.length; at += 3) {
    const [a, b, c] = [0, 1, 2].map((corner) => clusterOf[indices[at + corner]]);
    if (a !== b && b !== c && a !== c) kept.push(a, b, c);
  }
  return { vertices, indices: Uint32Array.from(kept), faces: kept.length / 3 };
}

/** Cells along an axis; its cube is an exact number. */
const SPAN = 2 ** 17;

/** Each vertex' cluster, and of each cluster x, y, z added up, and the count. */
function cluster(positions: Float32Array, center: readonly number[], cell: number) {
  const clusterOf = new Uint32Array(positions.length / 3);
  const sums: number[] = [];
  const numbers = new Map<number, number>();
  for (let vertex = 0; vertex < clusterOf.length; vertex++) {
    const [x, y, z] = [0, 1, 2].map((axis) => positions[vertex * 3 + axis] - center[axis]);
    const key = [x, y, z].reduce(
      (sum, value) => sum * SPAN + Math.floor(value / cell) + SPAN / 2,
      0,
    );
    const number = numbers.get(key) ?? numbers.size;
    if (number === numbers.size) {
      numbers.set(key, number);
      sums.push(0, 0, 0, 0);
    }
    clusterOf[vertex] = number;
    sums[number * 4] += x;
    sums[number * 4 + 1] += y;
    sums[number * 4 + 2] += z;
    sums[number * 4 + 3]++;
  }
  return { clusterOf, sums };
}
