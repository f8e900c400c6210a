/** Proves NPY files by the bytes that numpy 2.4 wrote for the same arrays, and by round trips. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { MediaError } from './errors.ts';
import { decodeNpy, encodeNpy, type NpyData } from './npy.ts';

/** What numpy.save writes: preamble, dict padded to 128 bytes with a line feed, data. */
function byNumpy(dict: string, data: number[]): Uint8Array<ArrayBuffer> {
  const head = `\x93NUMPY\x01\x00\x76\x00${dict.padEnd(117)}\n`;
  return new Uint8Array([...Buffer.from(head, 'latin1'), ...data]);
}

const CASES: [NpyData, number[], Uint8Array<ArrayBuffer>][] = [
  [
    new Float32Array([1, -2.5, 0.1]),
    [1, 3],
    byNumpy(
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }",
      [0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0, 0xcd, 0xcc, 0xcc, 0x3d],
    ),
  ],
  [
    new Uint16Array([1, 65535]),
    [2],
    byNumpy("{'descr': '<u2', 'fortran_order': False, 'shape': (2,), }", [1, 0, 255, 255]),
  ],
  [
    new Uint8Array([7]),
    [],
    byNumpy("{'descr': '|u1', 'fortran_order': False, 'shape': (), }", [7]),
  ],
];

describe('NPY', () => {
  test.each(CASES)('as numpy writes it: %p', (data, shape, file) => {
    expect(encodeNpy(data, shape)).toEqual(file);
    expect(decodeNpy(file)).toEqual({ data, shape });
  });

  test('round trip, of views and Buffers too', () => {
    const shapes = fc.array(fc.nat(5), { maxLength: 4 });
    fc.assert(
      fc.property(shapes, fc.constantFrom(Float32Array, Uint16Array, Uint8Array), (shape, Type) => {
        const size = shape.reduce((a, b) => a * b, 1);
        const data = new Type(size + 2).map((_, i) => i * 37).subarray(1, size + 1);
        const file = encodeNpy(data, shape);
        const [padded, start] = [new Uint8Array(file.length + 3), 3];
        padded.set(file, start);
        for (const source of [file, padded.subarray(start), Buffer.from(file)]) {
          const read = decodeNpy(source);
          expect(read.shape).toEqual(shape);
          expect([...read.data]).toEqual([...data]);
          expect(read.data.constructor).toBe(Type);
          expect(read.data.buffer.byteLength).toBe(data.byteLength);
        }
      }),
    );
  });

  test('a shape that does not hold the data', () => {
    expect(() => encodeNpy(new Uint8Array(5), [2, 3])).toThrow(RangeError);
  });

  const sound = encodeNpy(new Float32Array(6), [2, 3]);
  const edited = (from: string, to: string) =>
    new Uint8Array(Buffer.from(Buffer.from(sound).toString('latin1').replace(from, to), 'latin1'));
  test.each([
    ['empty', new Uint8Array(), 'not an NPY file'],
    ['text', new Uint8Array(Buffer.from('hello, world')), 'not an NPY file'],
    ['float64', edited('<f4', '<f8'), 'of dtype <f8'],
    ['big-endian', edited('<f4', '>f4'), 'of dtype >f4'],
    ['Fortran order', edited('False', 'True '), 'in Fortran order'],
    ['no shape', edited("'shape'", "'shade'"), 'without a shape'],
    ['too much data', edited('(2, 3)', '(2, 2)'), '[2,2] with 24 bytes of data; expected 16'],
    ['too little data', sound.subarray(0, -1), '[2,3] with 23 bytes of data; expected 24'],
    ['only the preamble', sound.subarray(0, 12), 'dtype unknown'],
  ])('%s is refused', (_, file, why) => {
    const read = () => decodeNpy(file, 'depth');
    expect(read).toThrow(MediaError);
    expect(read).toThrow(why);
  });
});
