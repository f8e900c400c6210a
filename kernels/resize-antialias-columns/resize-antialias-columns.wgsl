// Packed pixels → every column resized with an antialiasing filter, in fixed point, to 8 bits;
// then normalised, planar (CHW) float32. One invocation makes one pixel. Twin: cpu.ts.

struct Params {
  width: u32,
  dst_height: u32,
  taps: u32,
  fraction_bits: u32,
  scale_r: f32,
  scale_g: f32,
  scale_b: f32,
  bias_r: f32,
  bias_g: f32,
  bias_b: f32,
}

@group(0) @binding(0) var<storage, read> levels: array<u32>;
@group(0) @binding(1) var<storage, read> starts: array<u32>;
@group(0) @binding(2) var<storage, read> weights: array<u32>;
@group(0) @binding(3) var<storage, read_write> tensor: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(16, 16, 1)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.width || id.y >= params.dst_height) {
    return;
  }
  let first = starts[id.y] * params.width + id.x;
  var sum = vec3u(1u << (params.fraction_bits - 1u));
  for (var tap = 0u; tap < params.taps; tap++) {
    let pixel = levels[first + tap * params.width];
    sum += weights[id.y * params.taps + tap]
      * vec3u(pixel & 0xffu, (pixel >> 8u) & 0xffu, (pixel >> 16u) & 0xffu);
  }
  let level = vec3f(sum >> vec3u(params.fraction_bits));
  let plane = params.width * params.dst_height;
  let index = id.y * params.width + id.x;
  tensor[index] = level.r * params.scale_r + params.bias_r;
  tensor[index + plane] = level.g * params.scale_g + params.bias_g;
  tensor[index + 2u * plane] = level.b * params.scale_b + params.bias_b;
}
