// Depth at the model's resolution → full-resolution depth and a point cloud, in one pass.
// The resize is that of resize-depth.wgsl. Twin: cpu.ts.

struct Params {
  src_width: u32,
  src_height: u32,
  dst_width: u32,
  dst_height: u32,
  src_offset: u32,
  depth_scale: f32,
  fx: f32,
  fy: f32,
  cx: f32,
  cy: f32,
  stride: u32,
  min_depth: f32,
  max_depth: f32,
  colored: u32,
}

@group(0) @binding(0) var<storage, read> source: array<f32>;
@group(0) @binding(1) var<storage, read> image: array<u32>;
@group(0) @binding(2) var<storage, read_write> depth: array<f32>;
@group(0) @binding(3) var<storage, read_write> points: array<f32>;
@group(0) @binding(4) var<storage, read_write> colors: array<u32>;
@group(0) @binding(5) var<uniform> params: Params;

struct Position {
  low: u32,
  high: u32,
  fraction: f32,
}

fn position(d: u32, src: u32, dst: u32) -> Position {
  let denominator = max(dst - 1u, 1u);
  let numerator = d * (src - 1u);
  let low = numerator / denominator;
  let fraction = f32(numerator - low * denominator) / f32(denominator);
  return Position(low, min(low + 1u, src - 1u), fraction);
}

fn byte(index: u32) -> u32 {
  return (image[index >> 2u] >> ((index & 3u) * 8u)) & 0xffu;
}

@compute @workgroup_size(16, 16, 1)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.dst_width || id.y >= params.dst_height) {
    return;
  }
  let column = position(id.x, params.src_width, params.dst_width);
  let row = position(id.y, params.src_height, params.dst_height);
  let top = params.src_offset + row.low * params.src_width;
  let bottom = params.src_offset + row.high * params.src_width;
  let left = mix(source[top + column.low], source[bottom + column.low], row.fraction);
  let right = mix(source[top + column.high], source[bottom + column.high], row.fraction);
  let z = mix(left, right, column.fraction) * params.depth_scale;
  let pixel = id.y * params.dst_width + id.x;
  depth[pixel] = z;

  if (id.x % params.stride != 0u || id.y % params.stride != 0u) {
    return;
  }
  let columns = (params.dst_width + params.stride - 1u) / params.stride;
  let point = id.y / params.stride * columns + id.x / params.stride;
  let kept = select(0.0, z, z >= params.min_depth && z <= params.max_depth);
  points[3u * point] = (f32(id.x) - params.cx) / params.fx * kept;
  points[3u * point + 1u] = (f32(id.y) - params.cy) / params.fy * kept;
  points[3u * point + 2u] = kept;
  if (params.colored != 0u) {
    let index = pixel * 3u;
    colors[point] = byte(index) | (byte(index + 1u) << 8u) | (byte(index + 2u) << 16u);
  }
}
