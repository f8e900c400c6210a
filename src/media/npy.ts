import { MediaError } from './errors.ts';

/** The element types that are written and read. */
export type NpyData =
  | Float32Array<ArrayBufferLike>
  | Uint16Array<ArrayBufferLike>
  | Uint8Array<ArrayBufferLike>;

/** An array with its shape, in C order (the last axis varies fastest). */
export interface NpyArray {
  readonly data: NpyData;
  readonly shape: readonly number[];
}

const MAGIC = '\x93NUMPY';
/** Magic, two version bytes, uint16 header length. */
const PREAMBLE_BYTES = 10;
/** The data begin at a multiple of this, so that they can be mapped or viewed in place. */
const ALIGNMENT = 64;

function describe(data: NpyData): string {
  if (data instanceof Float32Array) return '<f4';
  return data instanceof Uint16Array ? '<u2' : '|u1';
}

function product(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}

/**
 * An NPY 1.0 file, little-endian, C order, for `numpy.load`.
 * Format: numpy.lib.format, numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 *
 * @param data float32, uint16 or uint8 values, `product(shape)` of them.
 * @throws {RangeError} When data and shape disagree.
 */
export function encodeNpy(data: NpyData, shape: readonly number[]): Uint8Array<ArrayBuffer> {
  if (product(shape) !== data.length) {
    throw new RangeError(`shape [${shape}] does not hold ${data.length} values`);
  }
  // A Python tuple of one needs its comma.
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dict = `{'descr': '${describe(data)}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const bodyStart = Math.ceil((PREAMBLE_BYTES + dict.length + 1) / ALIGNMENT) * ALIGNMENT;
  const headerBytes = bodyStart - PREAMBLE_BYTES;
  const header = `${dict.padEnd(headerBytes - 1)}\n`;

  const file = new Uint8Array(bodyStart + data.byteLength);
  file.set(Buffer.from(`${MAGIC}\x01\0`, 'latin1'));
  new DataView(file.buffer).setUint16(8, headerBytes, true);
  file.set(Buffer.from(header, 'latin1'), PREAMBLE_BYTES);
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), bodyStart);
  return file;
}

const READERS: Readonly<Record<string, (bytes: ArrayBuffer) => NpyData>> = {
  '<f4': (bytes) => new Float32Array(bytes),
  '<u2': (bytes) => new Uint16Array(bytes),
  '|u1': (bytes) => new Uint8Array(bytes),
};
const ITEM_BYTES: Readonly<Record<string, number>> = { '<f4': 4, '<u2': 2, '|u1': 1 };

/**
 * Reads an NPY file (versions 1.0 to 3.0) of little-endian float32, uint16 or uint8 in C order
 * into memory of its own.
 *
 * @throws {MediaError} 422 for anything else, and for a size that doesn't match the shape.
 */
export function decodeNpy(file: Uint8Array, field = 'array'): NpyArray {
  const refuse = (given: string, expected: string) =>
    new MediaError(422, `${field} is ${given}; expected ${expected}.`, field);
  const text = (start: number, end: number) =>
    Buffer.from(file.buffer, file.byteOffset, file.byteLength).toString('latin1', start, end);
  if (file.byteLength < PREAMBLE_BYTES + 2 || text(0, MAGIC.length) !== MAGIC) {
    throw refuse('not an NPY file', 'one as numpy.save writes it');
  }
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const isShort = file[6] === 1;
  const headerStart = isShort ? PREAMBLE_BYTES : PREAMBLE_BYTES + 2;
  const bodyStart = headerStart + (isShort ? view.getUint16(8, true) : view.getUint32(8, true));
  const header = text(headerStart, bodyStart);

  const descr = /'descr': *'([^']*)'/.exec(header)?.[1] ?? 'unknown';
  const read = READERS[descr];
  if (!read) throw refuse(`of dtype ${descr}`, `one of ${Object.keys(READERS).join(', ')}`);
  if (!/'fortran_order': *False/.test(header)) throw refuse('in Fortran order', 'C order');
  const tuple = /'shape': *\(([\d, ]*)\)/.exec(header)?.[1];
  if (tuple === undefined) throw refuse('an NPY file without a shape', "a 'shape' in its header");
  const shape = (tuple.match(/\d+/g) ?? []).map(Number);

  const bytes = product(shape) * ITEM_BYTES[descr];
  const found = Math.max(0, file.byteLength - bodyStart);
  if (found !== bytes) throw refuse(`[${shape}] with ${found} bytes of data`, `${bytes}`);
  // Not slice, which on a Buffer would share its memory.
  return { data: read(new Uint8Array(file.subarray(bodyStart)).buffer), shape };
}
