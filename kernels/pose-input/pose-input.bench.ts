import type { KernelBench, KernelCase } from '../../bench/kernel_bench.ts';
import { benchPoses } from '../render-poses/bench_sphere.ts';
import { poseInput } from './kernel.ts';

const SIDE = 160;

function sized(images: number, isChannelsFirst: boolean): KernelCase {
  return {
    name: `${images} of ${SIDE}x${SIDE} ${isChannelsFirst ? 'NCHW' : 'NHWC'}`,
    prepare: (backend) => {
      const size = images * SIDE * SIDE * 3;
      const values = Float32Array.from({ length: size }, (_, i) => (i % 97) / 97);
      const dims = [images, SIDE, SIDE, 3];
      const tensors = [
        backend.upload(values, dims),
        backend.upload(values, dims),
        backend.upload(benchPoses(images), [images, 4, 4]),
        backend.empty('float32', [size * 2]),
      ];
      const params = {
        width: SIDE,
        height: SIDE,
        images,
        channels_first: isChannelsFirst ? 1 : 0,
        radius: 0.1,
        min_depth: 0.001,
      };
      return {
        run: () => backend.run(poseInput, tensors, params),
        release: () => backend.release(...tensors),
      };
    },
  };
}

/** 36 at a time is what a network's first tensor allows of where a buffer holds 128 MiB. */
export const bench: KernelBench = {
  kernel: 'pose-input',
  cases: [sized(36, false), sized(36, true), sized(1, false)],
};
