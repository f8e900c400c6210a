import type { KernelBench, KernelCase } from '../../bench/kernel_bench.ts';
import { type BenchMasks, CASES, computeMasks, titleOf } from '../mask-rle-bits/bench_masks.ts';
import { maskRleBits } from '../mask-rle-bits/kernel.ts';
import { LANES, TOTALS } from '../mask-rle-count/cpu.ts';
import { maskRleCount } from '../mask-rle-count/kernel.ts';
import { maskRleWrite } from './kernel.ts';

function writing(given: BenchMasks): KernelCase {
  return {
    name: titleOf(given),
    prepare: (backend) => {
      const { bits, offsets, bases, changes, size } = computeMasks(given);
      const tensors = [
        backend.upload(bits, [bits.length]),
        backend.upload(offsets, [offsets.length]),
        backend.upload(bases, [bases.length]),
        backend.empty('uint32', [changes]),
      ];
      return {
        run: () => backend.run(maskRleWrite, tensors, size),
        release: () => backend.release(...tensors),
      };
    },
  };
}

/** From the logits to the runs' ends, without the readbacks. */
function allPasses(given: BenchMasks, cpuBoundMs?: number): KernelCase {
  return {
    name: `all three passes ${titleOf(given)}`,
    cpuBoundMs,
    prepare: (backend) => {
      const host = computeMasks(given);
      const inputs = [host.logits, host.selected, host.across, host.down];
      const uploaded = inputs.map((data) => backend.upload(data, [data.length]));
      const bits = backend.empty('uint32', [host.bits.length]);
      const offsets = backend.empty('uint32', [given.masks, LANES]);
      const totals = backend.empty('uint32', [given.masks, TOTALS]);
      const bases = backend.upload(host.bases, [given.masks]);
      const changes = backend.empty('uint32', [host.changes]);
      return {
        run: () => {
          backend.run(maskRleBits, [...uploaded, bits], host.bitsParams);
          backend.run(maskRleCount, [bits, offsets, totals], host.size);
          backend.run(maskRleWrite, [bits, offsets, bases, changes], host.size);
        },
        release: () => backend.release(...uploaded, bits, offsets, totals, bases, changes),
      };
    },
  };
}

export const bench: KernelBench = {
  kernel: 'mask-rle-write',
  cases: [
    ...Object.values(CASES).map(writing),
    allPasses(CASES.photo, 12),
    allPasses(CASES.noise, 12),
    allPasses(CASES.large),
    allPasses(CASES.many),
  ],
};
