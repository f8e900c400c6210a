import type { KernelBench, KernelCase } from '../../bench/kernel_bench.ts';
import { seeded } from '../../test/numbers.ts';
import { depthFilter, ERODE, SMOOTH } from './kernel.ts';

function sized(name: string, options: typeof ERODE | typeof SMOOTH): KernelCase {
  const [width, height] = [640, 480];
  return {
    name: `${name} ${width}x${height}`,
    prepare: (backend) => {
      const random = seeded(2);
      // A slanted wall with a sensor's noise and one pixel in ten without depth.
      const depth = Float32Array.from({ length: width * height }, (_, i) =>
        random() < 0.1 ? 0 : 0.8 + (i % width) * 2e-4 + random() * 5e-4,
      );
      const tensors = [
        backend.upload(depth, [height, width]),
        backend.empty('float32', [height, width]),
      ];
      return {
        run: () => backend.run(depthFilter, tensors, { ...options, width, height }),
        release: () => backend.release(...tensors),
      };
    },
  };
}

export const bench: KernelBench = {
  kernel: 'depth-filter',
  cases: [sized('erode', ERODE), sized('smooth', SMOOTH)],
};
