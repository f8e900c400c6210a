/** Proves PLY files by reading them back with a parser of the format's own rules. */
import { describe, expect, test } from 'bun:test';
import { encodePly } from './ply.ts';

/** Reads one element of scalar properties from a binary little-endian PLY. */
function parsePly(file: Uint8Array): { names: string[]; rows: number[][] } {
  const text = Buffer.from(file).toString('latin1');
  const end = text.indexOf('end_header\n') + 'end_header\n'.length;
  const [magic, format, element, ...rest] = text.slice(0, end).trim().split('\n');
  expect([magic, format]).toEqual(['ply', 'format binary_little_endian 1.0']);
  const count = Number(/^element vertex (\d+)$/.exec(element)?.[1]);
  const properties = rest.slice(0, -1).map((line) => line.split(' ').slice(1));
  const view = new DataView(file.buffer, file.byteOffset + end);
  let at = 0;
  const rows = Array.from({ length: count }, () =>
    properties.map(([type]) => {
      const value = type === 'float' ? view.getFloat32(at, true) : view.getUint8(at);
      at += type === 'float' ? 4 : 1;
      return value;
    }),
  );
  expect(at).toBe(view.byteLength);
  return { names: properties.map(([, name]) => name), rows };
}

const points = new Float32Array([1, 2, 3, -0.5, 1e-9, 1e9, Number.NaN, 0, 7]);
const colors = new Uint8Array([0, 128, 255, 1, 2, 3, 9, 8, 7]);

describe('encodePly', () => {
  test('points', () => {
    const { names, rows } = parsePly(encodePly(points));
    expect(names).toEqual(['x', 'y', 'z']);
    expect(rows.flat()).toEqual([...points]);
  });

  test('points with colours', () => {
    const { names, rows } = parsePly(encodePly(points, colors));
    expect(names).toEqual(['x', 'y', 'z', 'red', 'green', 'blue']);
    expect(rows.flatMap((row) => row.slice(0, 3))).toEqual([...points]);
    expect(rows.flatMap((row) => row.slice(3))).toEqual([...colors]);
  });

  test('a part of a larger array; none at all', () => {
    expect(parsePly(encodePly(points.subarray(3, 6))).rows).toEqual([[...points.slice(3, 6)]]);
    expect(parsePly(encodePly(new Float32Array())).rows).toEqual([]);
  });

  test('lengths that do not fit', () => {
    expect(() => encodePly(new Float32Array(4))).toThrow('multiple of 3');
    expect(() => encodePly(points, colors.subarray(3))).toThrow('expected 9');
  });
});
