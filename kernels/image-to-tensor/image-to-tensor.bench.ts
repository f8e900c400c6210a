import type { KernelBench, KernelCase } from '../../bench/kernel_bench.ts';
import { IMAGENET, imageToTensor, normalisation } from './kernel.ts';

interface Sizes {
  /** [width, height] */
  readonly from: readonly [number, number];
  readonly to: readonly [number, number];
  readonly cubic: boolean;
  readonly cpuBoundMs?: number;
}

function sized({ from, to, cubic, cpuBoundMs }: Sizes): KernelCase {
  return {
    name: `${from.join('x')} to ${to.join('x')} ${cubic ? 'cubic' : 'linear'}`,
    cpuBoundMs,
    prepare: (backend) => {
      const pixels = Uint8Array.from({ length: from[0] * from[1] * 3 }, (_, i) => (i * 31) & 255);
      const image = backend.upload(pixels, [from[1], from[0], 3]);
      const tensor = backend.empty('float32', [1, 3, to[1], to[0]]);
      const params = {
        src_width: from[0],
        src_height: from[1],
        dst_width: to[0],
        dst_height: to[1],
        dst_offset: 0,
        cubic: cubic ? 1 : 0,
        ...normalisation(IMAGENET),
      };
      return {
        run: () => backend.run(imageToTensor, [image, tensor], params),
        release: () => backend.release(image, tensor),
      };
    },
  };
}

/** Width by height: the usual request at the default input size, and photographs made smaller. */
export const bench: KernelBench = {
  kernel: 'image-to-tensor',
  cases: [
    sized({ from: [640, 480], to: [686, 518], cubic: true, cpuBoundMs: 15 }),
    sized({ from: [640, 480], to: [686, 518], cubic: false }),
    sized({ from: [640, 480], to: [336, 252], cubic: true }),
    sized({ from: [1920, 1080], to: [924, 518], cubic: true }),
    sized({ from: [4032, 3024], to: [686, 518], cubic: true }),
  ],
};
