// Packed RGB8 image → every row resized with an antialiasing filter, in fixed point, back to 8 bits.
// One invocation makes one pixel, r | g << 8 | b << 16. Twin: cpu.ts.

struct Params {
  src_width: u32,
  dst_width: u32,
  height: u32,
  taps: u32,
  fraction_bits: u32,
}

@group(0) @binding(0) var<storage, read> image: array<u32>;
@group(0) @binding(1) var<storage, read> starts: array<u32>;
@group(0) @binding(2) var<storage, read> weights: array<u32>;
@group(0) @binding(3) var<storage, read_write> levels: array<u32>;
@group(0) @binding(4) var<uniform> params: Params;

fn byte(index: u32) -> u32 {
  return (image[index >> 2u] >> ((index & 3u) * 8u)) & 0xffu;
}

@compute @workgroup_size(16, 16, 1)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.dst_width || id.y >= params.height) {
    return;
  }
  let first = (id.y * params.src_width + starts[id.x]) * 3u;
  var sum = vec3u(1u << (params.fraction_bits - 1u));
  for (var tap = 0u; tap < params.taps; tap++) {
    let index = first + tap * 3u;
    sum += weights[id.x * params.taps + tap]
      * vec3u(byte(index), byte(index + 1u), byte(index + 2u));
  }
  let level = sum >> vec3u(params.fraction_bits);
  levels[id.y * params.dst_width + id.x] = level.r | (level.g << 8u) | (level.b << 16u);
}
