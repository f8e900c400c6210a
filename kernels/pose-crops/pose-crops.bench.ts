import type { KernelBench, KernelCase } from '../../bench/kernel_bench.ts';
import { benchPoses } from '../render-poses/bench_sphere.ts';
import { poseCrops } from './kernel.ts';

function sized(images: number): KernelCase {
  return {
    name: `${images} poses`,
    prepare: (backend) => {
      const tensors = [
        backend.upload(benchPoses(images), [images, 4, 4]),
        backend.empty('float32', [images, 4]),
        backend.empty('float32', [images, 9]),
      ];
      const camera = { fx: 525, fy: 525, cx: 320, cy: 240 };
      const params = { images, size: 160, radius: 0.12, ...camera };
      return {
        run: () => backend.run(poseCrops, tensors, params),
        release: () => backend.release(...tensors),
      };
    },
  };
}

/** All hypotheses of a register, and a step of tracking. */
export const bench: KernelBench = { kernel: 'pose-crops', cases: [sized(252), sized(1)] };
