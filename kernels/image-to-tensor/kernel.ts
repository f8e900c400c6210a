import { defineKernel } from '../../src/compute/kernel.ts';
import { imageToTensorCpu } from './cpu.ts';
import wgsl from './image-to-tensor.wgsl' with { type: 'text' };

/**
 * Packed RGB8 [H, W, 3] → resized, normalised float32, planar [3, H', W'] at an element offset of
 * the destination, so that images of a batch go side by side into [B, 3, H', W'].
 *
 * Resampling is that of `cv2.resize` on float images without antialiasing: `INTER_CUBIC`
 * (a = −0.75) or `INTER_LINEAR`, half-pixel centres, replicated border, no clamping of overshoot.
 * Each channel c becomes value · scale_c + bias_c with values in 0…255.
 */
export const imageToTensor = defineKernel({
  name: 'image-to-tensor',
  wgsl,
  buffers: [
    { name: 'image', dtype: 'uint8', access: 'read' },
    { name: 'tensor', dtype: 'float32', access: 'write' },
  ],
  uniforms: {
    src_width: 'u32',
    src_height: 'u32',
    dst_width: 'u32',
    dst_height: 'u32',
    dst_offset: 'u32',
    cubic: 'u32',
    scale_r: 'f32',
    scale_g: 'f32',
    scale_b: 'f32',
    bias_r: 'f32',
    bias_g: 'f32',
    bias_b: 'f32',
  },
  workgroup: [16, 16, 1],
  invocations: ({ dst_width, dst_height }) => [dst_width, dst_height, 1],
  cpu: ([image, tensor], params) =>
    imageToTensorCpu(image as Uint8Array, tensor as Float32Array, params),
});

export type Rgb = readonly [number, number, number];

/** ImageNet's channel statistics, which DINOv2-based models expect. */
export const IMAGENET: { readonly mean: Rgb; readonly std: Rgb } = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/** Uniforms for (value / 255 − mean) / std. */
export function normalisation({ mean, std }: { readonly mean: Rgb; readonly std: Rgb }) {
  const scale = std.map((deviation) => 1 / (255 * deviation));
  const bias = mean.map((average, channel) => -average / std[channel]);
  return {
    scale_r: scale[0],
    scale_g: scale[1],
    scale_b: scale[2],
    bias_r: bias[0],
    bias_g: bias[1],
    bias_b: bias[2],
  };
}
