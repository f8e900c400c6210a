import { decodeDepthPng } from './depth_png.ts';
import { decodeImage, type ImageLimits } from './image.ts';

/** A mask's pixels. */
export interface MaskImage {
  /** Uint8, row-major: 255 where any channel of the picture is not 0, else 0. */
  readonly data: Uint8Array<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
}

/**
 * Decodes a mask: whatever is not black is inside. 16-bit grey PNGs, in which labels may be small
 * numbers, are read as they stand; other pictures as {@link decodeImage} reads them.
 *
 * @throws {MediaError} as {@link decodeImage} does
 */
export async function decodeMask(bytes: Uint8Array, limits: ImageLimits): Promise<MaskImage> {
  const isDeep = isGrey16Png(bytes);
  const picture = isDeep ? await decodeDepthPng(bytes, limits) : await decodeImage(bytes, limits);
  const { width, height } = picture;
  const pixels: ArrayLike<number> = picture.data;
  const channels = isDeep ? 1 : 3;
  const data = new Uint8Array(width * height);
  for (let pixel = 0, at = 0; pixel < data.length; pixel++) {
    for (let channel = 0; channel < channels; channel++, at++) {
      if (pixels[at] !== 0) data[pixel] = 255;
    }
  }
  return { data, width, height };
}

/** The mask at another size: each pixel is the nearest one's. */
export function resizeMask(mask: MaskImage, width: number, height: number): MaskImage {
  if (mask.width === width && mask.height === height) return mask;
  const data = new Uint8Array(width * height);
  for (let row = 0, at = 0; row < height; row++) {
    const from = Math.floor(((row + 0.5) * mask.height) / height) * mask.width;
    for (let column = 0; column < width; column++, at++) {
      data[at] = mask.data[from + Math.floor(((column + 0.5) * mask.width) / width)];
    }
  }
  return { data, width, height };
}

/** By the header: the PNG signature, 16 bits a sample, colour type 0. */
function isGrey16Png(bytes: Uint8Array): boolean {
  const isPng = [0x89, 0x50, 0x4e, 0x47].every((byte, at) => bytes[at] === byte);
  return isPng && bytes[24] === 16 && bytes[25] === 0;
}
