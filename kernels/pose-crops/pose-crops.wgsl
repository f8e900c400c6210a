// The squares of the image around N poses. Twin: cpu.ts.

struct Params {
  images: u32,
  size: u32,
  fx: f32,
  fy: f32,
  cx: f32,
  cy: f32,
  radius: f32,
}

@group(0) @binding(0) var<storage, read> poses: array<f32>;
@group(0) @binding(1) var<storage, read_write> windows: array<f32>;
@group(0) @binding(2) var<storage, read_write> transforms: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

// Metres.
const NEAREST = 0.001;

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.images) {
    return;
  }
  let at = id.x * 16u;
  let z = poses[at + 11u];
  var center = vec2f();
  var half_size = 0.0;
  if (z >= NEAREST) {
    let focal = vec2f(params.fx, params.fy);
    let place = vec2f(poses[at + 3u], poses[at + 7u]);
    center = focal * place / z + vec2f(params.cx, params.cy);
    half_size = max(abs(params.fx), abs(params.fy)) * params.radius / z;
  }
  let first = floor(center - half_size + 0.5);
  let size = max(floor(center + half_size + 0.5) - first, vec2f(1.0));
  let step = size / f32(params.size);
  let last = first + step * f32(params.size - 1u);
  let window = id.x * 4u;
  windows[window] = first.x;
  windows[window + 1u] = first.y;
  windows[window + 2u] = last.x;
  windows[window + 3u] = last.y;
  let row = id.x * 9u;
  transforms[row] = step.x;
  transforms[row + 1u] = 0.0;
  transforms[row + 2u] = first.x;
  transforms[row + 3u] = 0.0;
  transforms[row + 4u] = step.y;
  transforms[row + 5u] = first.y;
  transforms[row + 6u] = 0.0;
  transforms[row + 7u] = 0.0;
  transforms[row + 8u] = 1.0;
}
