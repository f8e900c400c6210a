import type { KernelBench, KernelCase } from '../../bench/kernel_bench.ts';
import { unproject } from './kernel.ts';

type Size = readonly [width: number, height: number];

interface Options {
  readonly stride?: number;
  readonly colored?: boolean;
  readonly cpuBoundMs?: number;
}

function sized(from: Size, to: Size, options: Options = {}): KernelCase {
  const { stride = 1, colored = false, cpuBoundMs } = options;
  const details = [stride > 1 && `stride ${stride}`, colored && 'with colours'].filter(Boolean);
  return {
    name: [`${from.join('x')} to ${to.join('x')}`, ...details].join(' '),
    cpuBoundMs,
    prepare: (backend) => {
      const [width, height] = to;
      const count = Math.ceil(width / stride) * Math.ceil(height / stride);
      const values = Float32Array.from({ length: from[0] * from[1] }, (_, i) => 1 + (i % 97) / 9);
      const tensors = [
        backend.upload(values, [from[1], from[0]]),
        backend.upload(new Uint8Array(width * height * 3).fill(90), [height, width, 3]),
        backend.empty('float32', [height, width]),
        backend.empty('float32', [count, 3]),
        backend.empty('uint32', [colored ? count : 1]),
      ];
      const params = {
        src_width: from[0],
        src_height: from[1],
        dst_width: width,
        dst_height: height,
        src_offset: 0,
        depth_scale: 1,
        fx: 525,
        fy: 525,
        cx: width / 2,
        cy: height / 2,
        stride,
        min_depth: 0,
        max_depth: 1e9,
        colored: colored ? 1 : 0,
      };
      return {
        run: () => backend.run(unproject, tensors, params),
        release: () => backend.release(...tensors),
      };
    },
  };
}

/** Width by height; the resize from the model's resolution is part of the kernel. */
export const bench: KernelBench = {
  kernel: 'unproject',
  cases: [
    sized([686, 518], [640, 480], { cpuBoundMs: 4 }),
    sized([686, 518], [640, 480], { colored: true }),
    sized([686, 518], [640, 480], { stride: 4 }),
    sized([924, 518], [1920, 1080]),
  ],
};
