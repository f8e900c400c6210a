import type { KernelBench, KernelCase } from '../../bench/kernel_bench.ts';
import { benchPoses, bumpySphere } from './bench_sphere.ts';
import { renderPoses, VIEW } from './kernel.ts';

interface Options {
  readonly poses: number;
  readonly rings: number;
  readonly colored: boolean;
  readonly cpuBoundMs?: number;
}

function sized({ poses, rings, colored, cpuBoundMs }: Options): KernelCase {
  const { vertices, indices } = bumpySphere(rings);
  const faces = indices.length / 3;
  const side = 160;
  const what = colored ? 'colour and points' : 'points';
  return {
    name: `${poses} poses of ${faces} triangles ${side}x${side} ${what}`,
    cpuBoundMs,
    prepare: (backend) => {
      const size = poses * side * side * 3;
      const windows = Float32Array.from(
        { length: poses * 4 },
        (_, i) => [210, 85, 430, 305][i % 4],
      );
      const tensors = [
        backend.upload(vertices, [vertices.length]),
        backend.upload(indices, [indices.length]),
        backend.upload(new Uint8Array(3), [3]),
        backend.upload(benchPoses(poses), [poses, 4, 4]),
        backend.upload(windows, [poses, 4]),
        backend.empty('float32', [colored ? size : 1]),
        backend.empty('float32', [size]),
      ];
      const params = {
        width: side,
        height: side,
        images: poses,
        faces,
        texture_width: 0,
        texture_height: 0,
        colored: colored ? 1 : 0,
        fx: 525,
        fy: 525,
        cx: 319.5,
        cy: 239.5,
        ...VIEW,
      };
      return {
        run: () => backend.draw(renderPoses, tensors, params),
        release: () => backend.release(...tensors),
      };
    },
  };
}

/** A sphere that fills the crop as FoundationPose's refiner has it. */
export const bench: KernelBench = {
  kernel: 'render-poses',
  cases: [
    sized({ poses: 252, rings: 71, colored: true, cpuBoundMs: 2500 }),
    sized({ poses: 252, rings: 71, colored: false }),
    sized({ poses: 1, rings: 71, colored: true }),
  ],
};
