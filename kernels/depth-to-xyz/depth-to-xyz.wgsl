// A depth image → the points of its pixels. Twin: cpu.ts.

struct Params {
  width: u32,
  height: u32,
  fx: f32,
  fy: f32,
  cx: f32,
  cy: f32,
  min_depth: f32,
  max_depth: f32,
}

@group(0) @binding(0) var<storage, read> depth: array<f32>;
@group(0) @binding(1) var<storage, read_write> xyz: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(16, 16, 1)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.width || id.y >= params.height) {
    return;
  }
  let pixel = id.y * params.width + id.x;
  let given = depth[pixel];
  let z = select(0.0, given, given >= params.min_depth && given < params.max_depth);
  xyz[3u * pixel] = (f32(id.x) - params.cx) / params.fx * z;
  xyz[3u * pixel + 1u] = (f32(id.y) - params.cy) / params.fy * z;
  xyz[3u * pixel + 2u] = z;
}
