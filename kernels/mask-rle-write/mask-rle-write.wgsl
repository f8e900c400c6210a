// Packed masks → the pixels where they change, in column-major order, each mask's after the last's.
// Lane i takes the i-th 256th of a mask's columns, as in mask-rle-count.wgsl. Twin: cpu.ts.

struct Params {
  width: u32,
  height: u32,
  masks: u32,
}

@group(0) @binding(0) var<storage, read> bits: array<u32>;
@group(0) @binding(1) var<storage, read> offsets: array<u32>;
@group(0) @binding(2) var<storage, read> bases: array<u32>;
@group(0) @binding(3) var<storage, read_write> changes: array<u32>;
@group(0) @binding(4) var<uniform> params: Params;

const LANES = 256u;

// The last pixel of the column before x, which precedes its first in column-major order.
fn pixel_before(mask: u32, x: u32, words: u32) -> u32 {
  if (x == 0u) {
    return 0u;
  }
  let last = bits[(mask * params.width + x) * words - 1u];
  return (last >> ((params.height - 1u) & 31u)) & 1u;
}

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let lane = id.x;
  let mask = id.y;
  if (lane >= LANES || mask >= params.masks) {
    return;
  }
  let begin = lane * params.width / LANES;
  let end = (lane + 1u) * params.width / LANES;
  let words = (params.height + 31u) / 32u;
  let spare = words * 32u - params.height;
  var out = bases[mask] + offsets[mask * LANES + lane];
  var before = pixel_before(mask, begin, words);
  for (var x = begin; x < end; x++) {
    let column = (mask * params.width + x) * words;
    for (var i = 0u; i < words; i++) {
      let word = bits[column + i];
      let is_last = i + 1u == words;
      let rows = select(0xffffffffu, 0xffffffffu >> spare, is_last);
      var edges = (word ^ ((word << 1u) | before)) & rows;
      before = select(word >> 31u, (word >> (31u - spare)) & 1u, is_last);
      while (edges != 0u) {
        changes[out] = x * params.height + i * 32u + firstTrailingBit(edges);
        out++;
        edges &= edges - 1u;
      }
    }
  }
}
