import type { KernelBench, KernelCase } from '../../bench/kernel_bench.ts';
import { benchSurface } from './bench_surface.ts';
import { icpStep } from './kernel.ts';

const SIDE = 160;

function sized(poses: number, points: number): KernelCase {
  return {
    name: `${poses} poses of ${points} points`,
    prepare: (backend) => {
      const { xyz, normals } = benchSurface(SIDE, SIDE);
      const chosen = (values: Float32Array) =>
        Float32Array.from({ length: points * 3 }, (_, at) => {
          const pixel = (Math.floor(at / 3) * 7919) % (SIDE * SIDE);
          return values[pixel * 3 + (at % 3)];
        });
      const identity = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
      const moved = Float32Array.from(
        { length: poses * 16 },
        (_, at) => identity[at % 16] + (at % 4 === 3 && at % 16 < 12 ? (at % 7) * 2e-4 : 0),
      );
      const inputs = [
        chosen(xyz),
        chosen(normals),
        Float32Array.from(identity),
        moved,
        xyz,
        normals,
      ];
      const tensors = [
        ...inputs.map((values) => backend.upload(values, [values.length])),
        backend.empty('float32', [poses, 29]),
      ];
      const params = {
        poses,
        sets: 1,
        points,
        width: SIDE,
        height: SIDE,
        fx: 525,
        fy: 525,
        cx: SIDE / 2,
        cy: SIDE / 2,
        max_distance: 0.02,
        min_cosine: 0.7,
      };
      return {
        run: () => backend.run(icpStep, tensors, params),
        release: () => backend.release(...tensors),
      };
    },
  };
}

/** All hypotheses of a register, and a step of tracking. */
export const bench: KernelBench = {
  kernel: 'icp-step',
  cases: [sized(252, 1000), sized(1, 4000)],
};
