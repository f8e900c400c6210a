import { MediaError } from '../media/errors.ts';
import { decodeRle, encodeRle } from '../media/rle.ts';

/** In pixels; an answer's `image_size`. */
export interface MaskSize {
  readonly width: number;
  readonly height: number;
}

/**
 * The pixels of a mask in the form `rle`, which the server and pycocotools write.
 *
 * @param counts the `counts` string of COCO's compressed run lengths
 * @param size the answer's `image_size`
 * @returns row-major [height, width], 1 inside, 0 outside
 * @throws RangeError when the string is none, or is of another size
 *
 * @example
 * const { masks, image_size } = await segmentImage({ image, prompts: [{ text: 'red ball' }] });
 * const pixels = decodeMask(masks[0], image_size);
 * const isInside = (x: number, y: number) => pixels[y * image_size.width + x] === 1;
 */
export function decodeMask(counts: string, { width, height }: MaskSize): Uint8Array<ArrayBuffer> {
  try {
    return decodeRle(counts, height, width);
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    throw new RangeError(error.message, { cause: error });
  }
}

/**
 * The string of a mask's pixels, byte for byte what pycocotools gives.
 *
 * @param pixels row-major [height, width]; 0 is outside, anything else inside
 * @throws RangeError when pixels and size disagree
 */
export function encodeMask(pixels: Uint8Array, { width, height }: MaskSize): string {
  return encodeRle(pixels, height, width);
}
