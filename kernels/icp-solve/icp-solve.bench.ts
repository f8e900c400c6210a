import type { KernelBench, KernelCase } from '../../bench/kernel_bench.ts';
import { benchPoses } from '../render-poses/bench_sphere.ts';
import { icpSolve } from './kernel.ts';

/** Sums of pairs whose residuals are 0, so that poses stay. */
function sums(poses: number): Float32Array {
  const diagonal = [0, 6, 11, 15, 18, 20];
  return Float32Array.from({ length: poses * 29 }, (_, at) => {
    const cell = at % 29;
    return diagonal.includes(cell) ? 1 + cell / 10 : cell === 28 ? 1000 : 0;
  });
}

function sized(poses: number): KernelCase {
  return {
    name: `${poses} poses`,
    prepare: (backend) => {
      const tensors = [
        backend.upload(sums(poses), [poses, 29]),
        backend.upload(benchPoses(poses), [poses, 4, 4]),
      ];
      return {
        run: () => backend.run(icpSolve, tensors, { poses, damping: 0.01 }),
        release: () => backend.release(...tensors),
      };
    },
  };
}

/** All hypotheses of a register, and a tracked pose. */
export const bench: KernelBench = { kernel: 'icp-solve', cases: [sized(252), sized(1)] };
