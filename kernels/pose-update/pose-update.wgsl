// Poses moved by a refiner's answers. Twin: cpu.ts.

struct Params {
  images: u32,
  radius: f32,
  max_angle: f32,
}

@group(0) @binding(0) var<storage, read> poses: array<f32>;
@group(0) @binding(1) var<storage, read> translations: array<f32>;
@group(0) @binding(2) var<storage, read> rotations: array<f32>;
@group(0) @binding(3) var<storage, read_write> updated: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

// Beyond ±9 tanh is ±1 in float32, and exp would overflow at last.
fn hyperbolic_tangent(value: f32) -> f32 {
  return 1.0 - 2.0 / (exp(2.0 * clamp(value, -9.0, 9.0)) + 1.0);
}

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.images) {
    return;
  }
  let at = id.x * 16u;
  let first = id.x * 3u;
  let turn = params.max_angle * vec3f(
    hyperbolic_tangent(rotations[first]),
    hyperbolic_tangent(rotations[first + 1u]),
    hyperbolic_tangent(rotations[first + 2u]),
  );
  let square = dot(turn, turn);
  // sin(a)/a and (1 − cos(a))/a².
  let s = 1.0 - square / 6.0 * (1.0 - square / 20.0 * (1.0 - square / 42.0 * (1.0 - square / 72.0)));
  let c = 0.5 * (1.0 - square / 12.0 * (1.0 - square / 30.0 * (1.0 - square / 56.0 * (1.0 - square / 90.0))));
  for (var column = 0u; column < 3u; column++) {
    let given = vec3f(poses[at + column], poses[at + 4u + column], poses[at + 8u + column]);
    // Rodrigues' formula for −w on a column r: r − s·(w × r) + c·(w × (w × r)).
    let across = cross(turn, given);
    let turned = given - s * across + c * cross(turn, across);
    updated[at + column] = turned.x;
    updated[at + 4u + column] = turned.y;
    updated[at + 8u + column] = turned.z;
  }
  for (var row = 0u; row < 3u; row++) {
    let place = at + row * 4u + 3u;
    updated[place] = poses[place] + translations[first + row] * params.radius;
    updated[at + 12u + row] = 0.0;
  }
  updated[at + 15u] = 1.0;
}
