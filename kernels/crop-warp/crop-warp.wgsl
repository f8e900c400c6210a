// An image and its points → crops for N poses, sampled through a transform each. Twin: cpu.ts.

struct Params {
  src_width: u32,
  src_height: u32,
  dst_width: u32,
  dst_height: u32,
  images: u32,
  colored: u32,
}

@group(0) @binding(0) var<storage, read> image: array<u32>;
@group(0) @binding(1) var<storage, read> points: array<f32>;
@group(0) @binding(2) var<storage, read> transforms: array<f32>;
@group(0) @binding(3) var<storage, read_write> rgb: array<f32>;
@group(0) @binding(4) var<storage, read_write> xyz: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

fn transform_row(crop: u32, row: u32, pixel: vec3f) -> f32 {
  let at = crop * 9u + row * 3u;
  return dot(vec3f(transforms[at], transforms[at + 1u], transforms[at + 2u]), pixel);
}

fn is_inside(pixel: vec2i) -> bool {
  let size = vec2i(i32(params.src_width), i32(params.src_height));
  return all(pixel >= vec2i()) && all(pixel < size);
}

// 0 outside.
fn color(pixel: vec2i) -> vec3f {
  var channels = vec3f();
  if (is_inside(pixel)) {
    let at = (u32(pixel.y) * params.src_width + u32(pixel.x)) * 3u;
    for (var channel = 0u; channel < 3u; channel++) {
      let index = at + channel;
      channels[channel] = f32((image[index >> 2u] >> ((index & 3u) * 8u)) & 0xffu);
    }
  }
  return channels / 255.0;
}

@compute @workgroup_size(16, 16, 1)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.dst_width || id.y >= params.dst_height || id.z >= params.images) {
    return;
  }
  let out = ((id.z * params.dst_height + id.y) * params.dst_width + id.x) * 3u;
  let pixel = vec3f(vec2f(id.xy), 1.0);
  let depth = transform_row(id.z, 2u, pixel);
  let place = vec2f(transform_row(id.z, 0u, pixel), transform_row(id.z, 1u, pixel)) / depth;
  // Far outside, and where the division fails, integers would overflow.
  let is_near = all(abs(place) < vec2f(1e6));
  let position = select(vec2f(-9.0), place, is_near);

  let nearest = vec2i(floor(position + 0.5));
  var point = vec3f();
  if (is_inside(nearest)) {
    let at = (u32(nearest.y) * params.src_width + u32(nearest.x)) * 3u;
    point = vec3f(points[at], points[at + 1u], points[at + 2u]);
  }
  xyz[out] = point.x;
  xyz[out + 1u] = point.y;
  xyz[out + 2u] = point.z;

  if (params.colored != 0u) {
    let low = vec2i(floor(position));
    let part = position - floor(position);
    let upper = mix(color(low), color(low + vec2i(1, 0)), part.x);
    let lower = mix(color(low + vec2i(0, 1)), color(low + vec2i(1, 1)), part.x);
    let value = mix(upper, lower, part.y);
    rgb[out] = value.x;
    rgb[out + 1u] = value.y;
    rgb[out + 2u] = value.z;
  }
}
