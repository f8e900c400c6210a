// Packed masks → where each lane's changes go, and each mask's number of changes, area and box.
// One workgroup a mask; lane i takes the i-th 256th of its columns. Twin: cpu.ts.

struct Params {
  width: u32,
  height: u32,
  masks: u32,
}

@group(0) @binding(0) var<storage, read> bits: array<u32>;
@group(0) @binding(1) var<storage, read_write> offsets: array<u32>;
@group(0) @binding(2) var<storage, read_write> totals: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

const LANES = 256u;

var<workgroup> sums: array<u32, LANES>;
var<workgroup> area: atomic<u32>;
var<workgroup> left: atomic<u32>;
var<workgroup> top: atomic<u32>;
var<workgroup> right: atomic<u32>;
var<workgroup> bottom: atomic<u32>;

// The last pixel of the column before x, which precedes its first in column-major order.
fn pixel_before(mask: u32, x: u32, words: u32) -> u32 {
  if (x == 0u) {
    return 0u;
  }
  let last = bits[(mask * params.width + x) * words - 1u];
  return (last >> ((params.height - 1u) & 31u)) & 1u;
}

// Adds a lane's columns to the mask's area and box; returns how many changes they have.
fn count_columns(mask: u32, begin: u32, end: u32) -> u32 {
  let words = (params.height + 31u) / 32u;
  let spare = words * 32u - params.height;
  var changes = 0u;
  var pixels = 0u;
  var first_row = params.height;
  var end_row = 0u;
  var first_column = params.width;
  var end_column = 0u;
  var before = pixel_before(mask, begin, words);
  for (var x = begin; x < end; x++) {
    let column = (mask * params.width + x) * words;
    for (var i = 0u; i < words; i++) {
      let word = bits[column + i];
      let is_last = i + 1u == words;
      // Past the last row the bits are 0, which is no change.
      let rows = select(0xffffffffu, 0xffffffffu >> spare, is_last);
      changes += countOneBits((word ^ ((word << 1u) | before)) & rows);
      before = select(word >> 31u, (word >> (31u - spare)) & 1u, is_last);
      if (word != 0u) {
        pixels += countOneBits(word);
        first_row = min(first_row, i * 32u + firstTrailingBit(word));
        end_row = max(end_row, i * 32u + 1u + firstLeadingBit(word));
        first_column = min(first_column, x);
        end_column = x + 1u;
      }
    }
  }
  atomicAdd(&area, pixels);
  atomicMin(&left, first_column);
  atomicMin(&top, first_row);
  atomicMax(&right, end_column);
  atomicMax(&bottom, end_row);
  return changes;
}

@compute @workgroup_size(256, 1, 1)
fn main(@builtin(local_invocation_id) local: vec3u, @builtin(workgroup_id) group: vec3u) {
  let lane = local.x;
  let mask = group.y;
  if (lane == 0u) {
    atomicStore(&left, params.width);
    atomicStore(&top, params.height);
  }
  workgroupBarrier();
  let begin = lane * params.width / LANES;
  let end = (lane + 1u) * params.width / LANES;
  let changes = count_columns(mask, begin, end);

  // Inclusive prefix sum (Hillis and Steele).
  sums[lane] = changes;
  for (var step = 1u; step < LANES; step *= 2u) {
    workgroupBarrier();
    let behind = select(0u, sums[max(lane, step) - step], lane >= step);
    workgroupBarrier();
    sums[lane] += behind;
  }
  offsets[mask * LANES + lane] = sums[lane] - changes;

  if (lane == LANES - 1u) {
    let out = mask * 6u;
    let filled = atomicLoad(&area) > 0u;
    totals[out] = sums[lane];
    totals[out + 1u] = atomicLoad(&area);
    totals[out + 2u] = select(0u, atomicLoad(&left), filled);
    totals[out + 3u] = select(0u, atomicLoad(&top), filled);
    totals[out + 4u] = atomicLoad(&right);
    totals[out + 5u] = atomicLoad(&bottom);
  }
}
