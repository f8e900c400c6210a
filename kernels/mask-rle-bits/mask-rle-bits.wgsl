// Low-resolution logits → bilinear upsample → threshold → one bit a pixel, column by column.
// One invocation makes one word: 32 pixels of one column. Twin: cpu.ts.

struct Params {
  src_width: u32,
  src_height: u32,
  dst_width: u32,
  dst_height: u32,
  masks: u32,
  threshold: f32,
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> selected: array<u32>;
@group(0) @binding(2) var<storage, read> across: array<f32>;
@group(0) @binding(3) var<storage, read> down: array<f32>;
@group(0) @binding(4) var<storage, read_write> bits: array<u32>;
@group(0) @binding(5) var<uniform> params: Params;

fn lerp(a: f32, b: f32, fraction: f32) -> f32 {
  return a * (1.0 - fraction) + b * fraction;
}

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let words = (params.dst_height + 31u) / 32u;
  if (id.x >= params.dst_width || id.y >= words || id.z >= params.masks) {
    return;
  }
  let position = across[id.x];
  let left = min(u32(position), params.src_width - 1u);
  let right = min(left + 1u, params.src_width - 1u);
  let between = position - f32(left);
  let map = selected[id.z] * params.src_width * params.src_height;

  let first = id.y * 32u;
  let end = min(first + 32u, params.dst_height);
  var row = 0xffffffffu;
  var upper = 0.0;
  var lower = 0.0;
  var word = 0u;
  for (var y = first; y < end; y++) {
    let top = min(u32(down[y]), params.src_height - 1u);
    if (top != row) {
      row = top;
      let a = map + top * params.src_width;
      let b = map + min(top + 1u, params.src_height - 1u) * params.src_width;
      upper = lerp(logits[a + left], logits[a + right], between);
      lower = lerp(logits[b + left], logits[b + right], between);
    }
    let value = lerp(upper, lower, down[y] - f32(top));
    word |= select(0u, 1u << (y - first), value > params.threshold);
  }
  bits[(id.z * params.dst_width + id.x) * words + id.y] = word;
}
