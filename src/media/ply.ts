const POINT_BYTES = 12;
const COLOURED_POINT_BYTES = 15;

/**
 * A binary little-endian PLY 1.0 file of points, as MeshLab, Open3D and trimesh read it:
 * `float x, y, z` and, with colours, `uchar red, green, blue`. Points that aren't finite are
 * written as they are.
 *
 * Format: Greg Turk, "The PLY Polygon File Format", 1994.
 *
 * @param points float32 N×3, in the unit and frame of the caller's choice.
 * @param colors uint8 N×3, RGB.
 * @throws {RangeError} When a length isn't 3N.
 */
export function encodePly(points: Float32Array, colors?: Uint8Array): Uint8Array<ArrayBuffer> {
  if (points.length % 3 !== 0) {
    throw new RangeError(`points has ${points.length} values; expected a multiple of 3`);
  }
  if (colors && colors.length !== points.length) {
    throw new RangeError(`colors has ${colors.length} values; expected ${points.length}`);
  }
  const count = points.length / 3;
  const header = Buffer.from(plyHeader(count, colors !== undefined), 'latin1');
  const stride = colors ? COLOURED_POINT_BYTES : POINT_BYTES;
  const file = new Uint8Array(header.byteLength + count * stride);
  file.set(header);
  if (colors) interleave(new DataView(file.buffer, header.byteLength), points, colors);
  else file.set(new Uint8Array(points.buffer, points.byteOffset, points.byteLength), header.length);
  return file;
}

function plyHeader(count: number, isColoured: boolean): string {
  const lines = ['ply', 'format binary_little_endian 1.0', `element vertex ${count}`];
  for (const axis of ['x', 'y', 'z']) lines.push(`property float ${axis}`);
  if (isColoured) for (const c of ['red', 'green', 'blue']) lines.push(`property uchar ${c}`);
  return `${lines.join('\n')}\nend_header\n`;
}

/** DataView, because a stride of 15 bytes leaves the floats unaligned; it is no slower. */
function interleave(body: DataView, points: Float32Array, colors: Uint8Array): void {
  for (let at = 0, to = 0; at < points.length; at += 3, to += COLOURED_POINT_BYTES) {
    for (let k = 0; k < 3; k++) {
      body.setFloat32(to + 4 * k, points[at + k], true);
      body.setUint8(to + POINT_BYTES + k, colors[at + k]);
    }
  }
}
