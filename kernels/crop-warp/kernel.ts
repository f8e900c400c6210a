import { defineKernel } from '../../src/compute/kernel.ts';
import { cropWarpCpu } from './cpu.ts';
import wgsl from './crop-warp.wgsl' with { type: 'text' };

/**
 * An observation, RGB uint8 [H, W, 3] and points float32 [H, W, 3], → its crops for N poses: rgb
 * float32 [N, h, w, 3] in [0, 1], bilinear, and xyz float32 [N, h, w, 3], the nearest pixel's, as
 * points of two surfaces must not mix. What lies outside of the image is 0, and so is its share of a
 * bilinear sample on the border.
 *
 * `transforms` is float32 [N, 3, 3], row-major: pixel (i, j, 1) of a crop → homogeneous pixel of the
 * image, both with integer centres. With `colored` 0, `rgb` is untouched and `image` unread.
 */
export const cropWarp = defineKernel({
  name: 'crop-warp',
  wgsl,
  buffers: [
    { name: 'image', dtype: 'uint8', access: 'read' },
    { name: 'points', dtype: 'float32', access: 'read' },
    { name: 'transforms', dtype: 'float32', access: 'read' },
    { name: 'rgb', dtype: 'float32', access: 'write' },
    { name: 'xyz', dtype: 'float32', access: 'write' },
  ],
  uniforms: {
    src_width: 'u32',
    src_height: 'u32',
    dst_width: 'u32',
    dst_height: 'u32',
    images: 'u32',
    colored: 'u32',
  },
  workgroup: [16, 16, 1],
  invocations: ({ dst_width, dst_height, images }) => [dst_width, dst_height, images],
  cpu: ([image, points, transforms, rgb, xyz], params) =>
    cropWarpCpu(
      {
        image: image as Uint8Array,
        points: points as Float32Array,
        transforms: transforms as Float32Array,
        rgb: rgb as Float32Array,
        xyz: xyz as Float32Array,
      },
      params,
    ),
});
