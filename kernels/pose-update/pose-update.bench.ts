import type { KernelBench, KernelCase } from '../../bench/kernel_bench.ts';
import { benchPoses } from '../render-poses/bench_sphere.ts';
import { MAX_ANGLE, poseUpdate } from './kernel.ts';

function sized(images: number): KernelCase {
  return {
    name: `${images} poses`,
    prepare: (backend) => {
      const moves = Float32Array.from({ length: images * 3 }, (_, at) => ((at % 13) - 6) / 20);
      const tensors = [
        backend.upload(benchPoses(images), [images, 4, 4]),
        backend.upload(moves, [images, 3]),
        backend.upload(moves, [images, 3]),
        backend.empty('float32', [images, 4, 4]),
      ];
      const params = { images, radius: 0.1, max_angle: MAX_ANGLE };
      return {
        run: () => backend.run(poseUpdate, tensors, params),
        release: () => backend.release(...tensors),
      };
    },
  };
}

/** All hypotheses of a register, and a step of tracking. */
export const bench: KernelBench = { kernel: 'pose-update', cases: [sized(252), sized(1)] };
