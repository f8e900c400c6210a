// Two filters of a depth image: erosion of what stands alone, and a bilateral mean. Twin: cpu.ts.

struct Params {
  width: u32,
  height: u32,
  stage: u32,
  radius: u32,
  min_depth: f32,
  max_depth: f32,
  max_difference: f32,
  max_bad_share: f32,
  sigma_space: f32,
  sigma_depth: f32,
}

@group(0) @binding(0) var<storage, read> depth: array<f32>;
@group(0) @binding(1) var<storage, read_write> filtered: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

fn is_valid(z: f32) -> bool {
  return z >= params.min_depth && z < params.max_depth;
}

// The window's first and last pixel, cut at the image's border.
fn bounds(center: vec2u) -> vec4u {
  let low = max(center, vec2u(params.radius)) - params.radius;
  let last = vec2u(params.width - 1u, params.height - 1u);
  return vec4u(low, min(center + params.radius, last));
}

fn erode(center: vec2u) -> f32 {
  let z = depth[center.y * params.width + center.x];
  if (!is_valid(z)) {
    return 0.0;
  }
  let window = bounds(center);
  var bad = 0u;
  for (var y = window.y; y <= window.w; y++) {
    for (var x = window.x; x <= window.z; x++) {
      let other = depth[y * params.width + x];
      bad += select(1u, 0u, is_valid(other) && abs(other - z) <= params.max_difference);
    }
  }
  let total = (window.z - window.x + 1u) * (window.w - window.y + 1u);
  return select(z, 0.0, f32(bad) / f32(total) > params.max_bad_share);
}

fn smooth_depth(center: vec2u) -> f32 {
  let window = bounds(center);
  var sum = 0.0;
  var count = 0.0;
  for (var y = window.y; y <= window.w; y++) {
    for (var x = window.x; x <= window.z; x++) {
      let other = depth[y * params.width + x];
      if (is_valid(other)) {
        sum += other;
        count += 1.0;
      }
    }
  }
  if (count == 0.0) {
    return 0.0;
  }
  let mean = sum / count;
  let z = depth[center.y * params.width + center.x];
  let space = -0.5 / (params.sigma_space * params.sigma_space);
  let range = -0.5 / (params.sigma_depth * params.sigma_depth);
  var weighted = 0.0;
  var weights = 0.0;
  for (var y = window.y; y <= window.w; y++) {
    for (var x = window.x; x <= window.z; x++) {
      let other = depth[y * params.width + x];
      if (is_valid(other) && abs(other - mean) < params.max_difference) {
        let away = vec2f(vec2u(x, y)) - vec2f(center);
        let weight = exp(dot(away, away) * space + (z - other) * (z - other) * range);
        weighted += weight * (other - mean);
        weights += weight;
      }
    }
  }
  return select(0.0, mean + weighted / weights, weights > 0.0);
}

@compute @workgroup_size(16, 16, 1)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.width || id.y >= params.height) {
    return;
  }
  var z = 0.0;
  if (params.stage == 0u) {
    z = erode(id.xy);
  } else {
    z = smooth_depth(id.xy);
  }
  filtered[id.y * params.width + id.x] = z;
}
