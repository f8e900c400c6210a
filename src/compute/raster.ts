import type { KernelBuffer, UniformLayout, UniformValues } from './kernel.ts';
import type { TypedArray } from './tensor.ts';

/** How much a {@link RasterKernel} draws: each image gets all triangles. */
export interface RasterExtent {
  readonly images: number;
  /** Pixels of one image. */
  readonly width: number;
  readonly height: number;
  readonly triangles: number;
}

/**
 * A computation on what is seen of triangles: on WebGPU the hardware's rasteriser, then a compute
 * shader; on the CPU a twin of the same meaning.
 *
 * Buffers, uniforms and their bindings in group 0 are those of a `Kernel`. The WGSL has three entry
 * points:
 *
 * - `vertex_main(vertex_index, instance_index)`: vertex_index is three times the triangle plus its
 *   corner, instance_index the image. It reads the read-only buffers and the uniforms. Depth is
 *   reversed: 1 is near, and 0, where buffers are cleared to, is far.
 * - `fragment_main`: a u32 for the nearest triangle of a pixel, above 0; 0 stays where there is none.
 *   There is no multisampling and no culling.
 * - `main`: the compute shader, with one invocation a pixel and image along x, y, z. It may read what
 *   was drawn from group 1: `@binding(0) var drawn: texture_2d<u32>` holds images side by side, and
 *   `@binding(1) var<uniform> tiles: Tiles` is {first, columns}: invocation z works on image
 *   first + z, whose upper left pixel is at (z % columns · width, z / columns · height).
 *
 * As many images are drawn in a pass as a texture of the device holds.
 */
export interface RasterKernel<U extends UniformLayout = UniformLayout> {
  readonly name: string;
  readonly wgsl: string;
  readonly buffers: readonly KernelBuffer[];
  readonly uniforms: U;
  /** Must equal `@workgroup_size` in the WGSL; the last must be 1. */
  readonly workgroup: readonly [number, number, 1];
  extent(params: UniformValues<U>): RasterExtent;
  cpu(buffers: readonly TypedArray[], params: UniformValues<U>): void;
}

/** Identity, for inference of the uniform layout. */
export function defineRasterKernel<const U extends UniformLayout>(
  kernel: RasterKernel<U>,
): RasterKernel<U> {
  return kernel;
}
