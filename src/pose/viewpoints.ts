/** FoundationPose's rotations: 42 viewpoints, each at 6 turns about the line of sight. */
const TURNS = 6;

type Vector = readonly [x: number, y: number, z: number];

/**
 * The rotations to start from: a camera at each vertex of an icosphere looks at the object, its
 * upper side towards +z, and is turned in steps of 60°.
 *
 * @returns 252 rotations [3, 3], row-major: object → camera (x right, y down, z forward)
 */
export function startRotations(): Float64Array[] {
  return icosphere().flatMap((viewpoint) =>
    Array.from({ length: TURNS }, (_, turn) => lookFrom(viewpoint, (turn * 2 * Math.PI) / TURNS)),
  );
}

/** float32 [N, 4, 4], row-major: each of the rotations at one place, metres. */
export function posesAt(
  rotations: readonly Float64Array[],
  place: readonly number[],
): Float32Array<ArrayBuffer> {
  const poses = new Float32Array(rotations.length * 16);
  rotations.forEach((rotation, index) => {
    for (let row = 0; row < 3; row++) {
      poses.set(rotation.subarray(row * 3, row * 3 + 3), index * 16 + row * 4);
      poses[index * 16 + row * 4 + 3] = place[row];
    }
    poses[index * 16 + 15] = 1;
  });
  return poses;
}

/** An icosahedron's 12 vertices and the middles of its 30 edges, on the unit sphere. */
function icosphere(): Vector[] {
  const golden = (1 + Math.sqrt(5)) / 2;
  const corners: Vector[] = [-1, 1].flatMap((a) =>
    [-golden, golden].flatMap((b): Vector[] => [
      [a, b, 0],
      [0, a, b],
      [b, 0, a],
    ]),
  );
  // The icosahedron's edges have length 2; all else is farther apart.
  const middles = corners.flatMap((p, at) =>
    corners
      .slice(at + 1)
      .filter((q) => Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]) < 2.1)
      .map((q): Vector => [p[0] + q[0], p[1] + q[1], p[2] + q[2]]),
  );
  return [...corners, ...middles].map(unit);
}

function lookFrom(viewpoint: Vector, turn: number): Float64Array {
  const forward = unit([-viewpoint[0], -viewpoint[1], -viewpoint[2]]);
  const isUpright = Math.abs(forward[2]) > 0.999;
  const right = unit(cross(forward, isUpright ? [0, 1, 0] : [0, 0, 1]));
  const down = cross(forward, right);
  const [c, s] = [Math.cos(turn), Math.sin(turn)];
  const first = right.map((value, axis) => c * value - s * down[axis]);
  const second = right.map((value, axis) => s * value + c * down[axis]);
  return Float64Array.of(...first, ...second, ...forward);
}

function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function unit([x, y, z]: Vector): Vector {
  const length = Math.hypot(x, y, z);
  return [x / length, y / length, z / length];
}
