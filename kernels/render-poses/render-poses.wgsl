// A mesh at N poses into N crops. The rasteriser finds the nearest triangle of each pixel; `main`
// intersects the pixel's ray with it, which gives exact, perspective-correct attributes. Twin: cpu.ts.

struct Params {
  width: u32,
  height: u32,
  images: u32,
  faces: u32,
  texture_width: u32,
  texture_height: u32,
  colored: u32,
  fx: f32,
  fy: f32,
  cx: f32,
  cy: f32,
  z_near: f32,
  z_far: f32,
  ambient: f32,
  diffuse: f32,
}

struct Tiles {
  first: u32,
  columns: u32,
}

@group(0) @binding(0) var<storage, read> vertices: array<f32>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read> texels: array<u32>;
@group(0) @binding(3) var<storage, read> poses: array<f32>;
@group(0) @binding(4) var<storage, read> windows: array<f32>;
@group(0) @binding(5) var<storage, read_write> rgb: array<f32>;
@group(0) @binding(6) var<storage, read_write> xyz: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;
@group(1) @binding(0) var drawn: texture_2d<u32>;
@group(1) @binding(1) var<uniform> tiles: Tiles;

const STRIDE = 9u;

struct Corner {
  @builtin(position) position: vec4f,
  @location(0) @interpolate(flat, either) face: u32,
}

fn three(at: u32) -> vec3f {
  return vec3f(vertices[at], vertices[at + 1u], vertices[at + 2u]);
}

fn pose_row(image: u32, row: u32) -> vec4f {
  let at = image * 16u + row * 4u;
  return vec4f(poses[at], poses[at + 1u], poses[at + 2u], poses[at + 3u]);
}

fn to_camera(image: u32, vertex: u32) -> vec3f {
  let point = vec4f(three(vertex * STRIDE), 1.0);
  return vec3f(
    dot(pose_row(image, 0u), point),
    dot(pose_row(image, 1u), point),
    dot(pose_row(image, 2u), point),
  );
}

fn window(image: u32) -> vec4f {
  let at = image * 4u;
  return vec4f(windows[at], windows[at + 1u], windows[at + 2u], windows[at + 3u]);
}

@vertex
fn vertex_main(@builtin(vertex_index) corner: u32, @builtin(instance_index) image: u32) -> Corner {
  let point = to_camera(image, indices[corner]);
  let edges = window(image);
  let size = edges.zw - edges.xy;
  let focal = vec2f(params.fx, params.fy);
  let center = vec2f(params.cx, params.cy);
  let across = (2.0 * focal * point.xy + (2.0 * center - edges.xy - edges.zw) * point.z) / size;
  // z is 1 at z_near and 0 at z_far: floats are densest where 1/z is small.
  let depth = params.z_near * (params.z_far - point.z) / (params.z_far - params.z_near);
  return Corner(vec4f(across.x, -across.y, depth, point.z), corner / 3u + 1u);
}

@fragment
fn fragment_main(corner: Corner) -> @location(0) u32 {
  return corner.face;
}

fn write_pixel(image: u32, x: u32, y: u32, point: vec3f, color: vec3f) {
  let at = ((image * params.height + y) * params.width + x) * 3u;
  xyz[at] = point.x;
  xyz[at + 1u] = point.y;
  xyz[at + 2u] = point.z;
  if (params.colored != 0u) {
    rgb[at] = color.x;
    rgb[at + 1u] = color.y;
    rgb[at + 2u] = color.z;
  }
}

fn texel(x: u32, y: u32) -> vec3f {
  var channels = vec3f();
  let at = (y * params.texture_width + x) * 3u;
  for (var channel = 0u; channel < 3u; channel++) {
    let index = at + channel;
    channels[channel] = f32((texels[index >> 2u] >> ((index & 3u) * 8u)) & 0xffu);
  }
  return channels / 255.0;
}

// Bilinear between the centres of texels, repeated in all directions.
fn sample_texture(uv: vec2f) -> vec3f {
  let size = vec2u(params.texture_width, params.texture_height);
  let position = (uv - floor(uv)) * vec2f(size) - 0.5;
  let low = floor(position);
  let part = position - low;
  let first = (vec2u(vec2i(low) + vec2i(size))) % size;
  let next = (first + 1u) % size;
  let upper = mix(texel(first.x, first.y), texel(next.x, first.y), part.x);
  let lower = mix(texel(first.x, next.y), texel(next.x, next.y), part.x);
  return mix(upper, lower, part.y);
}

// How much a vertex faces the camera, which carries the light.
fn facing(image: u32, vertex: u32) -> f32 {
  return clamp(-dot(pose_row(image, 2u).xyz, three(vertex * STRIDE + 3u)), 0.0, 1.0);
}

@compute @workgroup_size(16, 16, 1)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.width || id.y >= params.height) {
    return;
  }
  let image = tiles.first + id.z;
  let tile = vec2u(id.z % tiles.columns, id.z / tiles.columns);
  let face = textureLoad(drawn, tile * vec2u(params.width, params.height) + id.xy, 0).x;
  if (face == 0u) {
    write_pixel(image, id.x, id.y, vec3f(), vec3f());
    return;
  }
  let corner = (face - 1u) * 3u;
  let corners = vec3u(indices[corner], indices[corner + 1u], indices[corner + 2u]);
  let point = to_camera(image, corners.x);
  let first = to_camera(image, corners.y) - point;
  let second = to_camera(image, corners.z) - point;

  let edges = window(image);
  let size = vec2f(f32(params.width), f32(params.height));
  let place = edges.xy + (vec2f(id.xy) + 0.5) * (edges.zw - edges.xy) / size;
  let ray = vec3f((place.x - params.cx) / params.fx, (place.y - params.cy) / params.fy, 1.0);
  // Möller and Trumbore, from where the ray is as far as the first corner.
  let from_point = ray * point.z - point;
  let normal = cross(ray, second);
  let volume = dot(first, normal);
  var weights = vec2f(dot(from_point, normal), dot(ray, cross(from_point, first))) / volume;
  if (volume == 0.0) {
    weights = vec2f();
  }
  // A triangle covers pixels a little outside of it, as its corners are rounded to subpixels.
  weights = max(weights, vec2f());
  weights /= max(1.0, weights.x + weights.y);
  let seen = point + weights.x * first + weights.y * second;

  var color = vec3f();
  if (params.colored != 0u) {
    let rest = 1.0 - weights.x - weights.y;
    let look = rest * three(corners.x * STRIDE + 6u)
      + weights.x * three(corners.y * STRIDE + 6u) + weights.y * three(corners.z * STRIDE + 6u);
    let light = rest * facing(image, corners.x)
      + weights.x * facing(image, corners.y) + weights.y * facing(image, corners.z);
    var albedo = look;
    if (params.texture_width != 0u) {
      albedo = sample_texture(look.xy);
    }
    color = clamp(albedo * (params.ambient + params.diffuse * light), vec3f(), vec3f(1.0));
  }
  write_pixel(image, id.x, id.y, seen, color);
}
