import { IMAGENET, imageToTensor, normalisation } from '../../kernels/image-to-tensor/kernel.ts';
import { resizeDepth } from '../../kernels/resize-depth/kernel.ts';
import { unproject } from '../../kernels/unproject/kernel.ts';
import type { Backend } from '../../src/compute/backend.ts';
import type { Kernel, UniformLayout, UniformValues } from '../../src/compute/kernel.ts';
import { type TypedArray, viewOf } from '../../src/compute/tensor.ts';
import { largestError, requireBelow } from './errors.ts';

const FROM = { src_width: 322, src_height: 238 };
const TO = { dst_width: 333, dst_height: 251 };
const PIXELS = TO.dst_width * TO.dst_height;
const CAMERA = { fx: 300, fy: 310, cx: 165.5, cy: 124.5 };

/** Values that repeat nowhere near. */
const noise = (length: number, scale: number) =>
  Float32Array.from({ length }, (_, i) => scale * (1.5 + Math.sin(i * i)));
const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => (i * i * 31) >> 3);

/** Runs each kernel on both and gives the largest differences by kernel. */
export async function compareKernels(backend: Backend): Promise<Record<string, number>> {
  const depth = noise(FROM.src_width * FROM.src_height, 3);
  const resize = { ...FROM, ...TO, src_offset: 0, depth_scale: 0.7 };
  return {
    'image-to-tensor': await compare(
      backend,
      imageToTensor,
      [bytes(FROM.src_width * FROM.src_height * 3), new Float32Array(PIXELS * 3)],
      { ...FROM, ...TO, dst_offset: 0, cubic: 1, ...normalisation(IMAGENET) },
    ),
    'resize-depth': await compare(backend, resizeDepth, [depth, new Float32Array(PIXELS)], resize),
    unproject: await compare(
      backend,
      unproject,
      [
        depth,
        bytes(PIXELS * 3),
        new Float32Array(PIXELS),
        new Float32Array(PIXELS * 3),
        new Uint32Array(PIXELS),
      ],
      { ...resize, ...CAMERA, stride: 1, min_depth: 0, max_depth: 1e9, colored: 1 },
    ),
  };
}

/**
 * The largest difference over all that the kernel writes.
 *
 * @throws above 1e-4, where the tests' own tolerances, at values of at most some tens, end
 */
async function compare<U extends UniformLayout>(
  backend: Backend,
  kernel: Kernel<U>,
  arrays: readonly TypedArray[],
  params: UniformValues<U>,
): Promise<number> {
  const tensors = arrays.map((array) => backend.upload(array, [array.length]));
  backend.run(kernel, tensors, params);
  const expected = arrays.map((array, i) => copyOf(array, kernel.buffers[i].dtype));
  kernel.cpu(expected, params);
  let worst = 0;
  for (const [i, { access, name }] of kernel.buffers.entries()) {
    if (access === 'read') continue;
    const found = await backend.download(tensors[i]);
    const error = largestError(numbers(found), numbers(expected[i]));
    requireBelow(`${kernel.name}: the difference in ${name}`, error, 1e-4);
    worst = Math.max(worst, error);
  }
  backend.release(...tensors);
  return worst;
}

function copyOf(array: TypedArray, dtype: Kernel['buffers'][number]['dtype']): TypedArray {
  return viewOf(dtype, array.slice().buffer as ArrayBuffer, array.length);
}

function numbers(array: TypedArray): ArrayLike<number> {
  return array instanceof BigInt64Array ? Array.from(array, Number) : array;
}
