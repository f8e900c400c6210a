import { defineKernel } from '../../src/compute/kernel.ts';
import { LANES, maskRleCountCpu } from './cpu.ts';
import wgsl from './mask-rle-count.wgsl' with { type: 'text' };

/**
 * Second of three passes from logits to COCO runs: packed masks [masks, width, ⌈height/32⌉] as
 * mask-rle-bits makes them →
 * - `offsets` [masks, 256]: how many changes a mask has before each 256th of its columns;
 * - `totals` [masks, 6]: its changes, its area in pixels, and its tight box as left, top, right,
 *   bottom in pixels, right and bottom exclusive; all 0 for an empty mask.
 *
 * A change is a pixel that differs from the one before it, in column-major order; before the first
 * lies an outside one.
 */
export const maskRleCount = defineKernel({
  name: 'mask-rle-count',
  wgsl,
  buffers: [
    { name: 'bits', dtype: 'uint32', access: 'read' },
    { name: 'offsets', dtype: 'uint32', access: 'write' },
    { name: 'totals', dtype: 'uint32', access: 'write' },
  ],
  uniforms: { width: 'u32', height: 'u32', masks: 'u32' },
  workgroup: [LANES, 1, 1],
  invocations: ({ masks }) => [LANES, masks, 1],
  cpu: ([bits, offsets, totals], params) =>
    maskRleCountCpu(bits as Uint32Array, offsets as Uint32Array, totals as Uint32Array, params),
});
