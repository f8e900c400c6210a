// A damped Gauss-Newton step of N poses: an invocation each. Twin: cpu.ts.

struct Params {
  poses: u32,
  damping: f32,
}

@group(0) @binding(0) var<storage, read> sums: array<f32>;
@group(0) @binding(1) var<storage, read_write> poses: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

const SUMS = 29u;
const MIN_PAIRS = 6.0;
// Radians; and what no step is as long as.
const MAX_TURN = 3.0;
const LARGEST = 1e6;
const SMALLEST = 1.17549435e-38;

// A pose's system, then its Cholesky factor in the lower triangle; and b, then the solution.
var<private> factor: array<f32, 36>;
var<private> twist: array<f32, 6>;

fn load(at: u32) {
  var cell = at;
  for (var i = 0u; i < 6u; i++) {
    for (var j = i; j < 6u; j++) {
      factor[j * 6u + i] = sums[cell];
      cell++;
    }
    twist[i] = sums[at + 21u + i];
  }
}

// A direction without any pair has a diagonal of 0: a floor keeps it where it is.
fn damp() {
  for (var block = 0u; block < 6u; block += 3u) {
    let trace = factor[block * 7u] + factor[(block + 1u) * 7u] + factor[(block + 2u) * 7u];
    let floor_of_block = trace * 1e-9 + SMALLEST;
    for (var i = block; i < block + 3u; i++) {
      factor[i * 7u] += params.damping * factor[i * 7u] + floor_of_block;
    }
  }
}

// False unless positive definite.
fn factorize() -> bool {
  for (var j = 0u; j < 6u; j++) {
    for (var i = j; i < 6u; i++) {
      var value = factor[i * 6u + j];
      for (var k = 0u; k < j; k++) {
        value -= factor[i * 6u + k] * factor[j * 6u + k];
      }
      if (i == j) {
        if (!(value > 0.0)) {
          return false;
        }
        value = sqrt(value);
      } else {
        value /= factor[j * 7u];
      }
      factor[i * 6u + j] = value;
    }
  }
  return true;
}

fn solve() {
  for (var i = 0u; i < 6u; i++) {
    for (var j = 0u; j < i; j++) {
      twist[i] -= factor[i * 6u + j] * twist[j];
    }
    twist[i] /= factor[i * 7u];
  }
  for (var down = 0u; down < 6u; down++) {
    let i = 5u - down;
    for (var j = i + 1u; j < 6u; j++) {
      twist[i] -= factor[j * 6u + i] * twist[j];
    }
    twist[i] /= factor[i * 7u];
  }
}

// I + a·[ω] + b·[ω]², times a vector.
fn series(turn: vec3f, a: f32, b: f32, vector: vec3f) -> vec3f {
  let once = cross(turn, vector);
  return vector + a * once + b * cross(turn, once);
}

// (sin x / x, (1 − cos x) / x², (x − sin x) / x³) of x², up to x = 3: the built-in functions have an
// absolute error of 2^-11 only.
fn coefficients(squared: f32) -> vec3f {
  var term = vec3f(1.0, 0.5, 1.0 / 6.0);
  var sum = term;
  for (var k = 1.0; k < 9.0; k += 1.0) {
    let first = vec3f(2.0 * k) + vec3f(0.0, 1.0, 2.0);
    term *= -squared / (first * (first + 1.0));
    sum += term;
  }
  return sum;
}

fn move_by(at: u32, turn: vec3f, drift: vec3f) {
  let shares = coefficients(dot(turn, turn));
  let a = shares.x;
  let b = shares.y;
  let c = shares.z;
  var columns: mat3x3f;
  for (var column = 0u; column < 3u; column++) {
    let old = vec3f(poses[at + column], poses[at + column + 4u], poses[at + column + 8u]);
    columns[column] = series(turn, a, b, old);
  }
  // Gram and Schmidt on the rows, so that rounding does not add up over many steps.
  let rows = transpose(columns);
  let first = normalize(rows[0]);
  let second = normalize(rows[1] - dot(first, rows[1]) * first);
  let third = cross(first, second);
  let moved = series(turn, b, c, drift);
  for (var column = 0u; column < 3u; column++) {
    poses[at + column] = first[column];
    poses[at + 4u + column] = second[column];
    poses[at + 8u + column] = third[column];
    poses[at + 3u + column * 4u] += moved[column];
  }
}

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.poses) {
    return;
  }
  let at = id.x * SUMS;
  if (!(sums[at + 28u] >= MIN_PAIRS)) {
    return;
  }
  load(at);
  damp();
  if (!factorize()) {
    return;
  }
  solve();
  let turn = vec3f(twist[0], twist[1], twist[2]);
  let drift = vec3f(twist[3], twist[4], twist[5]);
  // Not where one is NaN.
  if (!(dot(turn, turn) < LARGEST * LARGEST) || !(dot(drift, drift) < LARGEST * LARGEST)) {
    return;
  }
  let share = MAX_TURN / max(length(turn), MAX_TURN);
  move_by(id.x * 16u, turn * share, drift * share);
}
