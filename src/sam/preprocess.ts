import { normalisation, type Rgb } from '../../kernels/image-to-tensor/kernel.ts';
import { resizeAntialiasColumns } from '../../kernels/resize-antialias-columns/kernel.ts';
import { antialiasFilter } from '../../kernels/resize-antialias-rows/filter.ts';
import { resizeAntialiasRows } from '../../kernels/resize-antialias-rows/kernel.ts';
import type { Backend } from '../compute/backend.ts';
import { elementCount, type Tensor } from '../compute/tensor.ts';
import type { Size } from './types.ts';

/**
 * A picture as SAM's graphs take it: stretched to side×side without keeping its aspect, antialiased,
 * rounded to whole levels, then (level / 255 − mean) / std.
 *
 * The levels are, byte for byte, those of transformers' processors, which call torchvision's
 * `resize(antialias=True)` on uint8.
 *
 * @param pixels packed RGB8 uint8 [height, width, 3]; stays the caller's.
 * @param side pixels of the result along both axes, from 1 on.
 * @returns float32 [1, 3, side, side], which the caller releases.
 * @throws {RangeError} when pixels and size disagree, for a size that isn't a whole number from 1
 *   on, and for a reduction beyond what the filter's integers hold.
 */
export function prepareAntialiased(
  backend: Backend,
  pixels: Tensor,
  { width, height }: Size,
  side: number,
  { mean, std }: { readonly mean: Rgb; readonly std: Rgb },
): Tensor<'float32'> {
  if (elementCount(pixels.dims) !== height * width * 3) {
    const expected = `expected [${height}, ${width}, 3] for an image of ${width}×${height}`;
    throw new RangeError(`pixels of shape [${pixels.dims}]; ${expected}`);
  }
  const across = antialiasFilter(width, side);
  const down = antialiasFilter(height, side);
  const temporary: Tensor[] = [];
  const keep = <T extends Tensor>(tensor: T): T => {
    temporary.push(tensor);
    return tensor;
  };
  try {
    const levels = keep(backend.empty('uint32', [height, side]));
    const columns = keep(backend.upload(across.starts, [side]));
    const columnWeights = keep(backend.upload(across.weights, [side, across.taps]));
    backend.run(resizeAntialiasRows, [pixels, columns, columnWeights, levels], {
      src_width: width,
      dst_width: side,
      height,
      taps: across.taps,
      fraction_bits: across.fractionBits,
    });
    const rows = keep(backend.upload(down.starts, [side]));
    const rowWeights = keep(backend.upload(down.weights, [side, down.taps]));
    const tensor = backend.empty('float32', [1, 3, side, side]);
    backend.run(resizeAntialiasColumns, [levels, rows, rowWeights, tensor], {
      width: side,
      dst_height: side,
      taps: down.taps,
      fraction_bits: down.fractionBits,
      ...normalisation({ mean, std }),
    });
    return tensor;
  } finally {
    // Commands run in the order they were given, so what comes next cannot overwrite these early.
    backend.release(...temporary);
  }
}
