import type { KernelBench, KernelCase } from '../../bench/kernel_bench.ts';
import { benchSurface } from '../icp-step/bench_surface.ts';
import { poseScore, SCORE } from './kernel.ts';

function sized(images: number, side: number): KernelCase {
  return {
    name: `${images} of ${side}x${side}`,
    prepare: (backend) => {
      const { xyz } = benchSurface(side, side);
      const rendered = Float32Array.from(
        { length: images * xyz.length },
        (_, at) => xyz[at % xyz.length] + (at % 5) * 2e-3,
      );
      const mask = new Uint8Array(side * side).map((_, at) => at % 3);
      const tensors = [
        backend.upload(rendered, [rendered.length]),
        backend.upload(xyz, [xyz.length]),
        backend.upload(mask, [mask.length]),
        backend.empty('float32', [images, SCORE.columns]),
      ];
      const size = { images, observations: 1, width: side, height: side };
      return {
        run: () => backend.run(poseScore, tensors, { ...size, tolerance: 0.005 }),
        release: () => backend.release(...tensors),
      };
    },
  };
}

/** What is left of the hypotheses of a register after pruning, and all of them, small. */
export const bench: KernelBench = {
  kernel: 'pose-score',
  cases: [sized(252, 40), sized(32, 160)],
};
