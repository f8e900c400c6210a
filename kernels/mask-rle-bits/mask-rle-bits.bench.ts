import type { KernelBench, KernelCase } from '../../bench/kernel_bench.ts';
import { type BenchMasks, CASES, computeMasks, titleOf } from './bench_masks.ts';
import { maskRleBits } from './kernel.ts';

function sized(given: BenchMasks): KernelCase {
  return {
    name: titleOf(given),
    prepare: (backend) => {
      const { logits, selected, across, down, bits, bitsParams } = computeMasks(given);
      const tensors = [
        backend.upload(logits, [logits.length]),
        backend.upload(selected, [selected.length]),
        backend.upload(across, [across.length]),
        backend.upload(down, [down.length]),
        backend.empty('uint32', [bits.length]),
      ];
      return {
        run: () => backend.run(maskRleBits, tensors, bitsParams),
        release: () => backend.release(...tensors),
      };
    },
  };
}

export const bench: KernelBench = {
  kernel: 'mask-rle-bits',
  cases: Object.values(CASES).map(sized),
};
