import { defineKernel } from '../../src/compute/kernel.ts';
import { resizeAntialiasColumnsCpu } from './cpu.ts';
import wgsl from './resize-antialias-columns.wgsl' with { type: 'text' };

/**
 * Second of two passes of an antialiased resize: pixels of `resize-antialias-rows`, uint32 [h, W] →
 * float32 [3, H, W], where each channel c is level · scale_c + bias_c with whole levels 0…255.
 *
 * `starts`, `weights`, `taps` and `fractionBits` are those of `antialiasFilter(h, H)`. The levels are
 * rounded half up, the same on all devices; scale and bias are float32 arithmetic.
 */
export const resizeAntialiasColumns = defineKernel({
  name: 'resize-antialias-columns',
  wgsl,
  buffers: [
    { name: 'levels', dtype: 'uint32', access: 'read' },
    { name: 'starts', dtype: 'uint32', access: 'read' },
    { name: 'weights', dtype: 'uint32', access: 'read' },
    { name: 'tensor', dtype: 'float32', access: 'write' },
  ],
  uniforms: {
    width: 'u32',
    dst_height: 'u32',
    taps: 'u32',
    fraction_bits: 'u32',
    scale_r: 'f32',
    scale_g: 'f32',
    scale_b: 'f32',
    bias_r: 'f32',
    bias_g: 'f32',
    bias_b: 'f32',
  },
  workgroup: [16, 16, 1],
  invocations: ({ width, dst_height }) => [width, dst_height, 1],
  cpu: ([levels, starts, weights, tensor], params) =>
    resizeAntialiasColumnsCpu(
      levels as Uint32Array,
      starts as Uint32Array,
      weights as Uint32Array,
      tensor as Float32Array,
      params,
    ),
});
