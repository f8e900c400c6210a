import sharp from 'sharp';
import { type Colormap, colormapTable } from './colormap.ts';

const MILLIMETRES = 1000;
const MAX_UINT16 = 65535;

/**
 * A depth map as a 16-bit grey PNG in millimetres, the convention of RGB-D datasets: 0 is "no
 * depth" (NaN, zero and negative values), halves are rounded up, and 65.535 m is the farthest that
 * can be said (anything beyond, infinity too, saturates).
 *
 * @param depthMetres float32, `width * height`, row-major.
 * @throws {RangeError} When the length isn't `width * height`.
 */
export async function encodeDepthPng16(
  depthMetres: Float32Array,
  width: number,
  height: number,
): Promise<Uint8Array> {
  requireSize(depthMetres, width, height);
  const millimetres = new Uint16Array(depthMetres.length);
  for (let i = 0; i < depthMetres.length; i++) {
    const rounded = depthMetres[i] * MILLIMETRES + 0.5;
    // The store drops the fraction and makes NaN 0.
    millimetres[i] = Math.min(Math.max(rounded, 0), MAX_UINT16);
  }
  return (
    sharp(millimetres, { raw: { width, height, channels: 1 } })
      .toColourspace('grey16')
      // Of sharp's levels and filters, the smallest file at no more than the default's time.
      .png({ compressionLevel: 2, adaptiveFiltering: true })
      .toBuffer()
  );
}

/** How values become colours. */
export interface ColormapOptions {
  readonly colormap: Colormap;
  /** The value at the map's low end. Default: the smallest finite value. */
  readonly min?: number;
  /** The value at the map's high end. Default: the largest finite value. */
  readonly max?: number;
  /** Runs the map from high to low. */
  readonly invert?: boolean;
}

/**
 * Values as an RGB PNG through a colour map. Values outside the range take the colour of its end;
 * NaN is black. Where min and max are equal every value takes the low end.
 *
 * @param values float32, `width * height`, row-major.
 * @throws {RangeError} When the length isn't `width * height`, or min is above max.
 */
export async function encodeColormapPng(
  values: Float32Array,
  width: number,
  height: number,
  options: ColormapOptions,
): Promise<Uint8Array> {
  requireSize(values, width, height);
  return encodeRgbPng(colorize(values, options), width, height);
}

/** Packed RGB8, row-major, as a PNG. */
export async function encodeRgbPng(
  rgb: Uint8Array,
  width: number,
  height: number,
): Promise<Uint8Array> {
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 3 })
    .toBuffer();
}

function colorize(values: Float32Array, options: ColormapOptions): Uint8Array {
  const range = finiteRange(values);
  const { min = range.min, max = range.max } = options;
  if (min > max) throw new RangeError(`min ${min} is above max ${max}`);
  const table = colormapTable(options.colormap);
  const low = options.invert ? 255 : 0;
  const scale = max > min ? (options.invert ? -255 : 255) / (max - min) : 0;
  const rgb = new Uint8Array(values.length * 3);
  for (let i = 0, to = 0; i < values.length; i++, to += 3) {
    const value = values[i];
    if (Number.isNaN(value)) continue;
    const inside = Math.min(Math.max(value, min), max);
    const from = Math.round(low + (inside - min) * scale) * 3;
    rgb[to] = table[from];
    rgb[to + 1] = table[from + 1];
    rgb[to + 2] = table[from + 2];
  }
  return rgb;
}

function finiteRange(values: Float32Array): { min: number; max: number } {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (!Number.isFinite(value)) continue;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return min <= max ? { min, max } : { min: 0, max: 0 };
}

function requireSize(values: Float32Array, width: number, height: number): void {
  if (values.length === width * height) return;
  throw new RangeError(`${values.length} values do not fill ${width}x${height}`);
}
