import { defineKernel } from '../../src/compute/kernel.ts';
import { resizeAntialiasRowsCpu } from './cpu.ts';
import wgsl from './resize-antialias-rows.wgsl' with { type: 'text' };

/**
 * First of two passes of an antialiased resize, of which `resize-antialias-columns` is the second:
 * packed RGB8 [h, w, 3] → uint32 [h, W], a pixel a number: r + 2⁸·g + 2¹⁶·b.
 *
 * `starts`, `weights`, `taps` and `fractionBits` are those of `antialiasFilter(w, W)`. Levels are
 * rounded half up and kept in 8 bits between the passes, and rows come first, as in PyTorch and
 * Pillow: integers only, so that all devices give the same bytes as they do.
 */
export const resizeAntialiasRows = defineKernel({
  name: 'resize-antialias-rows',
  wgsl,
  buffers: [
    { name: 'image', dtype: 'uint8', access: 'read' },
    { name: 'starts', dtype: 'uint32', access: 'read' },
    { name: 'weights', dtype: 'uint32', access: 'read' },
    { name: 'levels', dtype: 'uint32', access: 'write' },
  ],
  uniforms: {
    src_width: 'u32',
    dst_width: 'u32',
    height: 'u32',
    taps: 'u32',
    fraction_bits: 'u32',
  },
  workgroup: [16, 16, 1],
  invocations: ({ dst_width, height }) => [dst_width, height, 1],
  cpu: ([image, starts, weights, levels], params) =>
    resizeAntialiasRowsCpu(
      image as Uint8Array,
      starts as Uint32Array,
      weights as Uint32Array,
      levels as Uint32Array,
      params,
    ),
});
