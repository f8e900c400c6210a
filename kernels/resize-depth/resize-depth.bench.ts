import type { KernelBench, KernelCase } from '../../bench/kernel_bench.ts';
import { resizeDepth } from './kernel.ts';

type Size = readonly [width: number, height: number];

function sized(from: Size, to: Size): KernelCase {
  return {
    name: `${from.join('x')} to ${to.join('x')}`,
    prepare: (backend) => {
      const values = Float32Array.from({ length: from[0] * from[1] }, (_, i) => 1 + (i % 97));
      const source = backend.upload(values, [from[1], from[0]]);
      const depth = backend.empty('float32', [to[1], to[0]]);
      const params = {
        src_width: from[0],
        src_height: from[1],
        dst_width: to[0],
        dst_height: to[1],
        src_offset: 0,
        depth_scale: 0.5,
      };
      return {
        run: () => backend.run(resizeDepth, [source, depth], params),
        release: () => backend.release(source, depth),
      };
    },
  };
}

/** Width by height: from the model's resolution to the picture's. */
export const bench: KernelBench = {
  kernel: 'resize-depth',
  cases: [
    sized([686, 518], [640, 480]),
    sized([924, 518], [1920, 1080]),
    sized([686, 518], [4032, 3024]),
  ],
};
