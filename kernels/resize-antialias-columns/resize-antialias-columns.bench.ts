import type { KernelBench, KernelCase } from '../../bench/kernel_bench.ts';
import { IMAGENET, normalisation } from '../image-to-tensor/kernel.ts';
import { antialiasFilter } from '../resize-antialias-rows/filter.ts';
import { resizeAntialiasColumns } from './kernel.ts';

/** Rows that are already `side` long, to a square. */
function sized(height: number, side: number, cpuBoundMs?: number): KernelCase {
  return {
    name: `${side}x${height} to ${side}x${side}`,
    cpuBoundMs,
    prepare: (backend) => {
      const { starts, weights, taps, fractionBits } = antialiasFilter(height, side);
      const levels = Uint32Array.from({ length: side * height }, (_, i) => (i * 31) & 0xffffff);
      const tensors = [
        backend.upload(levels, [height, side]),
        backend.upload(starts, [side]),
        backend.upload(weights, [side, taps]),
        backend.empty('float32', [1, 3, side, side]),
      ];
      const params = {
        width: side,
        dst_height: side,
        taps,
        fraction_bits: fractionBits,
        ...normalisation(IMAGENET),
      };
      return {
        run: () => backend.run(resizeAntialiasColumns, tensors, params),
        release: () => backend.release(...tensors),
      };
    },
  };
}

/** The second pass of the same pictures as the first one's. */
export const bench: KernelBench = {
  kernel: 'resize-antialias-columns',
  cases: [sized(480, 1008, 15), sized(1080, 1008, 20), sized(3024, 1008), sized(3000, 256)],
};
