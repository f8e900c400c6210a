import type { KernelBench, KernelCase } from '../../bench/kernel_bench.ts';
import { antialiasFilter } from './filter.ts';
import { resizeAntialiasRows } from './kernel.ts';

/** An image whose rows become `to` long. */
function sized(width: number, height: number, to: number, cpuBoundMs?: number): KernelCase {
  return {
    name: `${width}x${height} to ${to}x${height}`,
    cpuBoundMs,
    prepare: (backend) => {
      const { starts, weights, taps, fractionBits } = antialiasFilter(width, to);
      const pixels = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 31) & 255);
      const tensors = [
        backend.upload(pixels, [height, width, 3]),
        backend.upload(starts, [to]),
        backend.upload(weights, [to, taps]),
        backend.empty('uint32', [height, to]),
      ];
      const params = { src_width: width, dst_width: to, height, taps, fraction_bits: fractionBits };
      return {
        run: () => backend.run(resizeAntialiasRows, tensors, params),
        release: () => backend.release(...tensors),
      };
    },
  };
}

/** Cameras' pictures for SAM 3, and a photograph made small. */
export const bench: KernelBench = {
  kernel: 'resize-antialias-rows',
  cases: [
    sized(640, 480, 1008, 10),
    sized(1920, 1080, 1008, 20),
    sized(4032, 3024, 1008),
    sized(4000, 3000, 256),
  ],
};
