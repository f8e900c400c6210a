// The points of images → their unit normals, towards the camera. Twin: cpu.ts.

struct Params {
  width: u32,
  height: u32,
  images: u32,
  radius: u32,
  max_difference: f32,
}

@group(0) @binding(0) var<storage, read> xyz: array<f32>;
@group(0) @binding(1) var<storage, read_write> normals: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

// Least sine between the two tangents: below it they span no plane.
const MIN_SINE = 0.05;

fn point(image: u32, x: i32, y: i32) -> vec3f {
  let at = (image * params.height * params.width + u32(y) * params.width + u32(x)) * 3u;
  return vec3f(xyz[at], xyz[at + 1u], xyz[at + 2u]);
}

@compute @workgroup_size(16, 16, 1)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.width || id.y >= params.height || id.z >= params.images) {
    return;
  }
  let center = vec2i(id.xy);
  let middle = point(id.z, center.x, center.y);
  var across = vec3f();
  var down = vec3f();
  if (middle.z > 0.0) {
    let radius = i32(params.radius);
    let low = max(center - radius, vec2i());
    let high = min(center + radius, vec2i(i32(params.width), i32(params.height)) - 1);
    for (var y = low.y; y <= high.y; y++) {
      for (var x = low.x; x <= high.x; x++) {
        let other = point(id.z, x, y);
        let offset = other - middle;
        if (other.z > 0.0 && abs(offset.z) <= params.max_difference) {
          across += f32(x - center.x) * offset;
          down += f32(y - center.y) * offset;
        }
      }
    }
  }
  var normal = cross(down, across);
  let size = length(normal);
  if (size > MIN_SINE * length(across) * length(down)) {
    normal /= select(size, -size, dot(normal, middle) > 0.0);
  } else {
    normal = vec3f();
  }
  let out = ((id.z * params.height + id.y) * params.width + id.x) * 3u;
  normals[out] = normal.x;
  normals[out + 1u] = normal.y;
  normals[out + 2u] = normal.z;
}
