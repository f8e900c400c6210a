import type { KernelBench, KernelCase } from '../../bench/kernel_bench.ts';
import { depthToXyz } from './kernel.ts';

function sized(width: number, height: number): KernelCase {
  return {
    name: `${width}x${height}`,
    prepare: (backend) => {
      const depth = Float32Array.from({ length: width * height }, (_, i) => (i % 97) / 90);
      const tensors = [
        backend.upload(depth, [height, width]),
        backend.empty('float32', [height, width, 3]),
      ];
      const lens = { fx: 525, fy: 525, cx: width / 2, cy: height / 2 };
      const params = { width, height, ...lens, min_depth: 0.001, max_depth: 100 };
      return {
        run: () => backend.run(depthToXyz, tensors, params),
        release: () => backend.release(...tensors),
      };
    },
  };
}

export const bench: KernelBench = {
  kernel: 'depth-to-xyz',
  cases: [sized(640, 480), sized(1920, 1080)],
};
