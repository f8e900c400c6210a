// Packed RGB8 image → resized, normalised, planar (NCHW) float32.
// Geometry and weights are those of cv2.resize on float images; see cpu.ts, its twin.

struct Params {
  src_width: u32,
  src_height: u32,
  dst_width: u32,
  dst_height: u32,
  dst_offset: u32,
  cubic: u32,
  scale_r: f32,
  scale_g: f32,
  scale_b: f32,
  bias_r: f32,
  bias_g: f32,
  bias_b: f32,
}

@group(0) @binding(0) var<storage, read> image: array<u32>;
@group(0) @binding(1) var<storage, read_write> tensor: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

struct Taps {
  first: i32,
  weights: vec4f,
}

fn byte(index: u32) -> f32 {
  return f32((image[index >> 2u] >> ((index & 3u) * 8u)) & 0xffu);
}

fn pixel(x: i32, y: i32) -> vec3f {
  let column = u32(clamp(x, 0, i32(params.src_width) - 1));
  let row = u32(clamp(y, 0, i32(params.src_height) - 1));
  let index = (row * params.src_width + column) * 3u;
  return vec3f(byte(index), byte(index + 1u), byte(index + 2u));
}

// The source position ((d + ½)·src/dst − ½), split exactly in integers: floor and fraction.
fn taps(d: u32, src: u32, dst: u32) -> Taps {
  let denominator = 2 * i32(dst);
  let numerator = (2 * i32(d) + 1) * i32(src) - i32(dst);
  // Shifted by one denominator: the numerator is never below −dst, and division truncates.
  let whole = (numerator + denominator) / denominator - 1;
  let t = f32(numerator - whole * denominator) / f32(denominator);
  if (params.cubic == 0u) {
    return Taps(whole, vec4f(1.0 - t, t, 0.0, 0.0));
  }
  const A = -0.75;
  let u = 1.0 - t;
  let w0 = ((A * (t + 1.0) - 5.0 * A) * (t + 1.0) + 8.0 * A) * (t + 1.0) - 4.0 * A;
  let w1 = ((A + 2.0) * t - (A + 3.0)) * t * t + 1.0;
  let w2 = ((A + 2.0) * u - (A + 3.0)) * u * u + 1.0;
  return Taps(whole - 1, vec4f(w0, w1, w2, 1.0 - w0 - w1 - w2));
}

@compute @workgroup_size(16, 16, 1)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.dst_width || id.y >= params.dst_height) {
    return;
  }
  let horizontal = taps(id.x, params.src_width, params.dst_width);
  let vertical = taps(id.y, params.src_height, params.dst_height);
  let count = select(2, 4, params.cubic != 0u);
  var sum = vec3f(0.0);
  for (var row = 0; row < count; row++) {
    var line = vec3f(0.0);
    for (var column = 0; column < count; column++) {
      line += horizontal.weights[column] * pixel(horizontal.first + column, vertical.first + row);
    }
    sum += vertical.weights[row] * line;
  }
  let plane = params.dst_width * params.dst_height;
  let index = params.dst_offset + id.y * params.dst_width + id.x;
  tensor[index] = sum.r * params.scale_r + params.bias_r;
  tensor[index + plane] = sum.g * params.scale_g + params.bias_g;
  tensor[index + 2u * plane] = sum.b * params.scale_b + params.bias_b;
}
