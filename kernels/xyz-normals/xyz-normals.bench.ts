import type { KernelBench, KernelCase } from '../../bench/kernel_bench.ts';
import { benchSurface } from '../icp-step/bench_surface.ts';
import { xyzNormals } from './kernel.ts';

function sized(width: number, height: number, radius: number): KernelCase {
  return {
    name: `${width}x${height}, radius ${radius}`,
    prepare: (backend) => {
      const { xyz } = benchSurface(width, height);
      const tensors = [backend.upload(xyz, [xyz.length]), backend.empty('float32', [xyz.length])];
      const params = { width, height, images: 1, radius, max_difference: 0.01 };
      return {
        run: () => backend.run(xyzNormals, tensors, params),
        release: () => backend.release(...tensors),
      };
    },
  };
}

export const bench: KernelBench = {
  kernel: 'xyz-normals',
  cases: [sized(160, 160, 2), sized(640, 480, 2)],
};
