const LEAF_POINTS = 16;

/**
 * Distances that are computed at most, a few tenths of a second. Only nearly spherical meshes of
 * some fifty thousand vertices and more come that far, and by then the best pair is found.
 */
const MAX_DISTANCES = 5e7;

/**
 * The largest distance between two points, as FoundationPose takes the diameter of a mesh; there it
 * is the largest over at most 10,000 vertices drawn at random, here over all of them.
 *
 * Exact: the boxes of a k-d tree are compared with each other, the farthest first, and a pair whose
 * farthest corners are nearer than the best pair of points is left out. If that takes more than
 * {@link MAX_DISTANCES}, the best pair found stands.
 *
 * @param points [N, 3], finite, N at least 1.
 */
export function largestDistance(points: Float32Array): number {
  const search = new FarthestPair(points);
  return Math.sqrt(search.run());
}

/** A range of points and the box around them. */
interface Box {
  readonly start: number;
  readonly end: number;
  readonly min: readonly number[];
  readonly max: readonly number[];
  children: readonly [Box, Box] | null;
}

class FarthestPair {
  /** Points in the order of the tree, [N, 3]. */
  private readonly points: Float64Array;
  private best = 0;
  private budget = MAX_DISTANCES;

  constructor(points: Float32Array) {
    this.points = Float64Array.from(points);
  }

  run(): number {
    const count = this.points.length / 3;
    this.sweep(count);
    const root = this.box(0, count);
    this.compare(root, root);
    return this.best;
  }

  /** From any point to the farthest, from there to its farthest, …: nearly always the diameter. */
  private sweep(count: number): void {
    for (let from = 0, round = 0; round < 8; round++) {
      const before = this.best;
      let farthest = from;
      for (let to = 0; to < count; to++) {
        const squared = this.squared(from, to);
        if (squared > this.best) {
          this.best = squared;
          farthest = to;
        }
      }
      if (this.best === before) return;
      from = farthest;
    }
  }

  private squared(a: number, b: number): number {
    const { points } = this;
    const x = points[a * 3] - points[b * 3];
    const y = points[a * 3 + 1] - points[b * 3 + 1];
    const z = points[a * 3 + 2] - points[b * 3 + 2];
    return x * x + y * y + z * z;
  }

  private box(start: number, end: number): Box {
    const min = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    const max = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let at = start * 3; at < end * 3; at += 3) {
      for (let axis = 0; axis < 3; axis++) {
        const value = this.points[at + axis];
        if (value < min[axis]) min[axis] = value;
        if (value > max[axis]) max[axis] = value;
      }
    }
    return { start, end, min, max, children: null };
  }

  /** Split along the longest side, only when it is asked for: most boxes never are. */
  private split(box: Box): readonly [Box, Box] {
    if (box.children) return box.children;
    const sides = box.max.map((value, axis) => value - box.min[axis]);
    const axis = sides.indexOf(Math.max(...sides));
    const middle = (box.start + box.end) >> 1;
    this.partition(box.start, box.end, middle, axis);
    box.children = [this.box(box.start, middle), this.box(middle, box.end)];
    return box.children;
  }

  private compare(a: Box, b: Box): void {
    if (this.budget < 0 || farthestCorners(a, b) <= this.best) return;
    const sizeA = a.end - a.start;
    const sizeB = b.end - b.start;
    if (sizeA <= LEAF_POINTS && sizeB <= LEAF_POINTS) {
      this.compareAll(a, b);
      return;
    }
    if (a === b) {
      const [left, right] = this.split(a);
      this.compare(left, right);
      this.compare(left, left);
      this.compare(right, right);
      return;
    }
    const [split, other] = sizeA >= sizeB ? [a, b] : [b, a];
    const [left, right] = this.split(split);
    const leftFirst = farthestCorners(left, other) >= farthestCorners(right, other);
    this.compare(leftFirst ? left : right, other);
    this.compare(leftFirst ? right : left, other);
  }

  private compareAll(a: Box, b: Box): void {
    this.budget -= (a.end - a.start) * (b.end - b.start);
    for (let i = a.start; i < a.end; i++) {
      for (let j = b.start; j < b.end; j++) {
        const squared = this.squared(i, j);
        if (squared > this.best) this.best = squared;
      }
    }
  }

  /** Quickselect: the points before `middle` are at most, those after at least, the one there. */
  private partition(start: number, end: number, middle: number, axis: number): void {
    let low = start;
    let high = end - 1;
    while (low < high) {
      const pivot = this.points[((low + high) >> 1) * 3 + axis];
      let i = low;
      let j = high;
      while (i <= j) {
        while (this.points[i * 3 + axis] < pivot) i++;
        while (this.points[j * 3 + axis] > pivot) j--;
        if (i <= j) this.swap(i++, j--);
      }
      if (middle <= j) high = j;
      else if (middle >= i) low = i;
      else return;
    }
  }

  private swap(a: number, b: number): void {
    const { points } = this;
    for (let axis = 0; axis < 3; axis++) {
      const kept = points[a * 3 + axis];
      points[a * 3 + axis] = points[b * 3 + axis];
      points[b * 3 + axis] = kept;
    }
  }
}

/** The square of the largest distance that points of two boxes can have. */
function farthestCorners(a: Box, b: Box): number {
  let squared = 0;
  for (let axis = 0; axis < 3; axis++) {
    const side = Math.max(b.max[axis] - a.min[axis], a.max[axis] - b.min[axis]);
    squared += side * side;
  }
  return squared;
}
