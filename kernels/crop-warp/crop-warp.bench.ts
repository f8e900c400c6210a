import type { KernelBench, KernelCase } from '../../bench/kernel_bench.ts';
import { cropWarp } from './kernel.ts';

const SIDE = 160;

function sized(images: number, colored: boolean): KernelCase {
  return {
    name: `640x480 to ${images} of ${SIDE}x${SIDE} ${colored ? 'colour and points' : 'points'}`,
    prepare: (backend) => {
      const [width, height] = [640, 480];
      const points = Float32Array.from({ length: width * height * 3 }, (_, i) => (i % 89) / 89);
      const transforms = new Float32Array(images * 9);
      for (let image = 0; image < images; image++) {
        transforms.set([1.3, 0, 180 + (image % 60), 0, 1.3, 90, 0, 0, 1], image * 9);
      }
      const size = images * SIDE * SIDE * 3;
      const tensors = [
        backend.upload(new Uint8Array(width * height * 3).fill(90), [height, width, 3]),
        backend.upload(points, [height, width, 3]),
        backend.upload(transforms, [images, 3, 3]),
        backend.empty('float32', [colored ? size : 1]),
        backend.empty('float32', [size]),
      ];
      const params = {
        src_width: width,
        src_height: height,
        dst_width: SIDE,
        dst_height: SIDE,
        images,
        colored: colored ? 1 : 0,
      };
      return {
        run: () => backend.run(cropWarp, tensors, params),
        release: () => backend.release(...tensors),
      };
    },
  };
}

export const bench: KernelBench = {
  kernel: 'crop-warp',
  cases: [sized(252, true), sized(252, false), sized(1, true)],
};
