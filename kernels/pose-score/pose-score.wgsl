// Renderings of N poses against the observation: a workgroup each. Twin: cpu.ts.
// Lanes sum every 64th pixel, then a lane for each column adds up those of all lanes: the order is
// always the same, and there is one barrier.

struct Params {
  images: u32,
  observations: u32,
  width: u32,
  height: u32,
  tolerance: f32,
}

@group(0) @binding(0) var<storage, read> rendered: array<f32>;
@group(0) @binding(1) var<storage, read> observed: array<f32>;
@group(0) @binding(2) var<storage, read> mask: array<u32>;
@group(0) @binding(3) var<storage, read_write> scores: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

const LANES = 64u;
const COLUMNS = 7u;

var<workgroup> lane_sums: array<f32, 448>;

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let pixels = params.width * params.height;
  let observation = group.y % params.observations;
  var own: array<f32, 7>;
  for (var pixel = lane; pixel < pixels; pixel += LANES) {
    let model = rendered[(group.y * pixels + pixel) * 3u + 2u];
    let at = observation * pixels + pixel;
    let surface = observed[at * 3u + 2u];
    let is_object = ((mask[at >> 2u] >> ((at & 3u) * 8u)) & 0xffu) != 0u;
    if (!(model > 0.0)) {
      own[2] += select(0.0, 1.0, is_object);
      continue;
    }
    own[5] += 1.0;
    if (!(surface > 0.0)) {
      continue;
    }
    let gap = surface - model;
    if (gap > params.tolerance) {
      own[1] += 1.0;
    } else if (gap < -params.tolerance) {
      own[3] += select(0.0, 1.0, is_object);
    } else if (is_object) {
      own[0] += 1.0;
      own[6] += abs(gap);
    } else {
      own[4] += 1.0;
    }
  }
  for (var column = 0u; column < COLUMNS; column++) {
    lane_sums[lane * COLUMNS + column] = own[column];
  }
  workgroupBarrier();
  if (lane < COLUMNS) {
    var sum = 0.0;
    var inliers = 0.0;
    for (var other = 0u; other < LANES; other++) {
      sum += lane_sums[other * COLUMNS + lane];
      inliers += lane_sums[other * COLUMNS];
    }
    // The last column is a mean over the first.
    let count = select(1.0, max(inliers, 1.0), lane == COLUMNS - 1u);
    scores[group.y * COLUMNS + lane] = sum / count;
  }
}
