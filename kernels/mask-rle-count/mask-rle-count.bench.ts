import type { KernelBench, KernelCase } from '../../bench/kernel_bench.ts';
import { type BenchMasks, CASES, computeMasks, titleOf } from '../mask-rle-bits/bench_masks.ts';
import { LANES, TOTALS } from './cpu.ts';
import { maskRleCount } from './kernel.ts';

function sized(given: BenchMasks): KernelCase {
  return {
    name: titleOf(given),
    prepare: (backend) => {
      const { bits, size } = computeMasks(given);
      const tensors = [
        backend.upload(bits, [bits.length]),
        backend.empty('uint32', [size.masks, LANES]),
        backend.empty('uint32', [size.masks, TOTALS]),
      ];
      return {
        run: () => backend.run(maskRleCount, tensors, size),
        release: () => backend.release(...tensors),
      };
    },
  };
}

export const bench: KernelBench = {
  kernel: 'mask-rle-count',
  cases: Object.values(CASES).map(sized),
};
