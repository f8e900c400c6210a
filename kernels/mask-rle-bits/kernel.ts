import { defineKernel } from '../../src/compute/kernel.ts';
import { maskRleBitsCpu } from './cpu.ts';
import wgsl from './mask-rle-bits.wgsl' with { type: 'text' };

/**
 * First of three passes from logits to COCO runs: logits [maps, h, w] → packed masks
 * [masks, W, ⌈H/32⌉], for `masks` of the maps.
 *
 * Mask m is map `selected[m]`. Output column x samples it at `across[x]`, row y at `down[y]`, in
 * source pixels, rising, at least 0 (`halfPixelPositions` gives PyTorch's); between the four
 * neighbours bilinear, beyond the last one constant. Pixel (x, y) is inside where the value is above
 * `threshold`: then bit y mod 32 of word ⌊y/32⌋ of column x is 1. Bits past the last row are 0.
 *
 * Logits are finite. The other passes only count bits, so that a value that rounds differently in
 * two shaders can't make them disagree.
 */
export const maskRleBits = defineKernel({
  name: 'mask-rle-bits',
  wgsl,
  buffers: [
    { name: 'logits', dtype: 'float32', access: 'read' },
    { name: 'selected', dtype: 'uint32', access: 'read' },
    { name: 'across', dtype: 'float32', access: 'read' },
    { name: 'down', dtype: 'float32', access: 'read' },
    { name: 'bits', dtype: 'uint32', access: 'write' },
  ],
  uniforms: {
    src_width: 'u32',
    src_height: 'u32',
    dst_width: 'u32',
    dst_height: 'u32',
    masks: 'u32',
    threshold: 'f32',
  },
  workgroup: [64, 1, 1],
  invocations: ({ dst_width, dst_height, masks }) => [dst_width, Math.ceil(dst_height / 32), masks],
  cpu: ([logits, selected, across, down, bits], params) =>
    maskRleBitsCpu(
      logits as Float32Array,
      selected as Uint32Array,
      across as Float32Array,
      down as Float32Array,
      bits as Uint32Array,
      params,
    ),
});
