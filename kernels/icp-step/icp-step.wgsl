// Point-to-plane normal equations of N poses: a workgroup each. Twin: cpu.ts.
// Lanes sum every 64th point, then a lane for each sum adds up those of all lanes: the order is
// always the same, and there is one barrier.

struct Params {
  poses: u32,
  sets: u32,
  points: u32,
  width: u32,
  height: u32,
  fx: f32,
  fy: f32,
  cx: f32,
  cy: f32,
  max_distance: f32,
  min_cosine: f32,
}

@group(0) @binding(0) var<storage, read> points: array<f32>;
@group(0) @binding(1) var<storage, read> normals: array<f32>;
@group(0) @binding(2) var<storage, read> frames: array<f32>;
@group(0) @binding(3) var<storage, read> poses: array<f32>;
@group(0) @binding(4) var<storage, read> observed: array<f32>;
@group(0) @binding(5) var<storage, read> observed_normals: array<f32>;
@group(0) @binding(6) var<storage, read_write> sums: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;

const LANES = 64u;
const SUMS = 29u;

var<workgroup> lane_sums: array<f32, 1856>;

// Columns are the rotation's columns, then the translation.
fn pose_of_frame(cloud: u32) -> mat4x3f {
  let at = cloud * 16u;
  return mat4x3f(
    frames[at], frames[at + 4u], frames[at + 8u],
    frames[at + 1u], frames[at + 5u], frames[at + 9u],
    frames[at + 2u], frames[at + 6u], frames[at + 10u],
    frames[at + 3u], frames[at + 7u], frames[at + 11u],
  );
}

fn pose_of(pose: u32) -> mat4x3f {
  let at = pose * 16u;
  return mat4x3f(
    poses[at], poses[at + 4u], poses[at + 8u],
    poses[at + 1u], poses[at + 5u], poses[at + 9u],
    poses[at + 2u], poses[at + 6u], poses[at + 10u],
    poses[at + 3u], poses[at + 7u], poses[at + 11u],
  );
}

fn keep_three(lane: u32, cell: u32, values: vec3f) {
  lane_sums[lane * SUMS + cell] = values.x;
  lane_sums[lane * SUMS + cell + 1u] = values.y;
  lane_sums[lane * SUMS + cell + 2u] = values.z;
}

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let cloud = group.y % params.sets;
  let from_pose = pose_of_frame(cloud);
  let to_pose = pose_of(group.y);
  // Frame → object → camera.
  let inverse = transpose(mat3x3f(from_pose[0], from_pose[1], from_pose[2]));
  let turn = mat3x3f(to_pose[0], to_pose[1], to_pose[2]) * inverse;
  let size = vec2i(i32(params.width), i32(params.height));
  // Of the rows (lever, plane): lever·leverᵀ and plane·planeᵀ as their diagonal and (xy, xz, yz), and
  // lever·planeᵀ. Registers, as an array that is indexed would be memory.
  var levers = vec3f();
  var lever_pairs = vec3f();
  var planes = vec3f();
  var plane_pairs = vec3f();
  var mixed = mat3x3f();
  var pulls = mat2x3f();
  var squares = 0.0;
  var count = 0.0;

  for (var index = lane; index < params.points; index += LANES) {
    let at = (cloud * params.points + index) * 3u;
    let normal = vec3f(normals[at], normals[at + 1u], normals[at + 2u]);
    let arm = turn * (vec3f(points[at], points[at + 1u], points[at + 2u]) - from_pose[3]);
    let point = arm + to_pose[3];
    let facing = turn * normal;
    // A rendered pixel without a surface has no normal; what faces away is hidden.
    if (!(point.z > 0.0) || !(dot(facing, point) < 0.0)) {
      continue;
    }
    let place = vec2f(params.fx, params.fy) * point.xy / point.z + vec2f(params.cx, params.cy);
    // Integers would overflow far outside.
    if (!all(abs(place) < vec2f(1e6))) {
      continue;
    }
    let pixel = vec2i(floor(place + 0.5));
    if (any(pixel < vec2i()) || any(pixel >= size)) {
      continue;
    }
    let there = (u32(pixel.y) * params.width + u32(pixel.x)) * 3u;
    let seen = vec3f(observed[there], observed[there + 1u], observed[there + 2u]);
    let plane = vec3f(
      observed_normals[there],
      observed_normals[there + 1u],
      observed_normals[there + 2u],
    );
    let offset = seen - point;
    let is_near = dot(offset, offset) <= params.max_distance * params.max_distance;
    let is_alike = dot(plane, facing) >= params.min_cosine;
    if (!(seen.z > 0.0) || all(plane == vec3f()) || !is_near || !is_alike) {
      continue;
    }
    let residual = dot(plane, offset);
    let lever = cross(arm, plane);
    levers += lever * lever;
    lever_pairs += lever.xxy * lever.yzz;
    planes += plane * plane;
    plane_pairs += plane.xxy * plane.yzz;
    mixed += mat3x3f(lever.x * plane, lever.y * plane, lever.z * plane);
    pulls += residual * mat2x3f(lever, plane);
    squares += residual * residual;
    count += 1.0;
  }

  keep_three(lane, 0u, vec3f(levers.x, lever_pairs.xy));
  keep_three(lane, 3u, mixed[0]);
  lane_sums[lane * SUMS + 6u] = levers.y;
  lane_sums[lane * SUMS + 7u] = lever_pairs.z;
  keep_three(lane, 8u, mixed[1]);
  lane_sums[lane * SUMS + 11u] = levers.z;
  keep_three(lane, 12u, mixed[2]);
  keep_three(lane, 15u, vec3f(planes.x, plane_pairs.xy));
  keep_three(lane, 18u, vec3f(planes.y, plane_pairs.z, planes.z));
  keep_three(lane, 21u, pulls[0]);
  keep_three(lane, 24u, pulls[1]);
  lane_sums[lane * SUMS + 27u] = squares;
  lane_sums[lane * SUMS + 28u] = count;
  workgroupBarrier();
  if (lane < SUMS) {
    var sum = 0.0;
    for (var other = 0u; other < LANES; other++) {
      sum += lane_sums[other * SUMS + lane];
    }
    sums[group.y * SUMS + lane] = sum;
  }
}
