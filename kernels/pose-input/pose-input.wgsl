// Crops of colour and points → a network's six channels. Twin: cpu.ts.

struct Params {
  width: u32,
  height: u32,
  images: u32,
  channels_first: u32,
  radius: f32,
  min_depth: f32,
}

@group(0) @binding(0) var<storage, read> rgb: array<f32>;
@group(0) @binding(1) var<storage, read> xyz: array<f32>;
@group(0) @binding(2) var<storage, read> poses: array<f32>;
@group(0) @binding(3) var<storage, read_write> tensor: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(16, 16, 1)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.width || id.y >= params.height || id.z >= params.images) {
    return;
  }
  let pixel = id.y * params.width + id.x;
  let plane = params.width * params.height;
  let source = (id.z * plane + pixel) * 3u;
  let is_valid = xyz[source + 2u] >= params.min_depth;
  // Channel by channel, or pixel by pixel.
  let stride = select(1u, plane, params.channels_first != 0u);
  let first = id.z * plane * 6u + select(pixel * 6u, pixel, params.channels_first != 0u);
  for (var axis = 0u; axis < 3u; axis++) {
    tensor[first + axis * stride] = rgb[source + axis];
    let offset = poses[id.z * 16u + axis * 4u + 3u];
    let value = (xyz[source + axis] - offset) / params.radius;
    tensor[first + (axis + 3u) * stride] = select(0.0, value, is_valid && abs(value) < 2.0);
  }
}
