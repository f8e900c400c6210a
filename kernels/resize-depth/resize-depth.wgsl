// Depth at the model's resolution → the image's: bilinear, align_corners, scaled. Twin: cpu.ts.

struct Params {
  src_width: u32,
  src_height: u32,
  dst_width: u32,
  dst_height: u32,
  src_offset: u32,
  depth_scale: f32,
}

@group(0) @binding(0) var<storage, read> source: array<f32>;
@group(0) @binding(1) var<storage, read_write> depth: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

struct Position {
  low: u32,
  high: u32,
  fraction: f32,
}

// d·(src − 1)/(dst − 1), split exactly in integers.
fn position(d: u32, src: u32, dst: u32) -> Position {
  let denominator = max(dst - 1u, 1u);
  let numerator = d * (src - 1u);
  let low = numerator / denominator;
  let fraction = f32(numerator - low * denominator) / f32(denominator);
  return Position(low, min(low + 1u, src - 1u), fraction);
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
  depth[id.y * params.dst_width + id.x] = mix(left, right, column.fraction) * params.depth_scale;
}
