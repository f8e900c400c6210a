import { defineKernel } from '../../src/compute/kernel.ts';
import { poseCropsCpu } from './cpu.ts';
import wgsl from './pose-crops.wgsl' with { type: 'text' };

/**
 * Which part of the image FoundationPose's networks look at for each of N poses: t and t ± radius
 * along x and y are projected; the half-size of a square about the projected t is the largest
 * distance along u or v; its edges are rounded to whole pixels, and it is at least a pixel wide.
 *
 * - `poses` float32 [N, 4, 4], row-major: object → camera, metres; only translations are read.
 * - `windows` float32 [N, 4]: left, top, right, bottom for `render-poses`. The networks' crops map
 *   their first and last pixel to the image and show what is rendered between these, so right =
 *   left + (size − 1)/size of the square's side, and likewise bottom.
 * - `transforms` float32 [N, 3, 3], row-major, for `crop-warp`: pixel (i, j, 1) of a crop of size²
 *   → pixel of the image; (0, 0) is the square's upper left corner.
 *
 * A pose nearer than 1 mm, or behind the camera, gets a square of one pixel; nothing of it is seen.
 * `fx`, `fy`, `cx`, `cy` are in pixels whose centres are integers; `radius`, in metres, is half of the
 * mesh's diameter times {@link CROP_RATIO}.
 */
export const poseCrops = defineKernel({
  name: 'pose-crops',
  wgsl,
  buffers: [
    { name: 'poses', dtype: 'float32', access: 'read' },
    { name: 'windows', dtype: 'float32', access: 'write' },
    { name: 'transforms', dtype: 'float32', access: 'write' },
  ],
  uniforms: {
    images: 'u32',
    size: 'u32',
    fx: 'f32',
    fy: 'f32',
    cx: 'f32',
    cy: 'f32',
    radius: 'f32',
  },
  workgroup: [64, 1, 1],
  invocations: ({ images }) => [images, 1, 1],
  cpu: ([poses, windows, transforms], params) =>
    poseCropsCpu(
      poses as Float32Array,
      windows as Float32Array,
      transforms as Float32Array,
      params,
    ),
});

/** Side of a crop's cube by the mesh's diameter, as the networks were trained. */
export const CROP_RATIO = { refiner: 1.2, scorer: 1.1 } as const;
