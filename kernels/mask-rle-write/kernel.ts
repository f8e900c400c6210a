import { defineKernel } from '../../src/compute/kernel.ts';
import { LANES } from '../mask-rle-count/cpu.ts';
import { maskRleWriteCpu } from './cpu.ts';
import wgsl from './mask-rle-write.wgsl' with { type: 'text' };

/**
 * Last of three passes from logits to COCO runs: packed masks [masks, width, ⌈height/32⌉] and the
 * `offsets` of mask-rle-count → `changes`, the rising indices x·height + y of the pixels that differ
 * from the one before them in column-major order (before the first lies an outside one). Those of
 * mask m begin at `bases[m]`.
 *
 * COCO's counts are the differences between neighbours of 0, the changes, and width·height.
 */
export const maskRleWrite = defineKernel({
  name: 'mask-rle-write',
  wgsl,
  buffers: [
    { name: 'bits', dtype: 'uint32', access: 'read' },
    { name: 'offsets', dtype: 'uint32', access: 'read' },
    { name: 'bases', dtype: 'uint32', access: 'read' },
    { name: 'changes', dtype: 'uint32', access: 'write' },
  ],
  uniforms: { width: 'u32', height: 'u32', masks: 'u32' },
  workgroup: [64, 1, 1],
  invocations: ({ masks }) => [LANES, masks, 1],
  cpu: ([bits, , bases, changes], params) =>
    maskRleWriteCpu(bits as Uint32Array, bases as Uint32Array, changes as Uint32Array, params),
});
