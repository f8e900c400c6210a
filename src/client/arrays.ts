/**
 * An encoded picture (JPEG, PNG, WebP, GIF, TIFF, AVIF) as base64, for the `image` field. The
 * bytes are sent as they are, not re-encoded.
 *
 * @param source the path of a file (not in browsers), or its bytes
 * @throws the file system's error for a path that cannot be read
 */
export async function encodeImage(
  source: string | Uint8Array | ArrayBuffer | Blob,
): Promise<string> {
  return (await bytesOf(source)).toBase64();
}

async function bytesOf(source: string | Uint8Array | ArrayBuffer | Blob): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (source instanceof Blob) return new Uint8Array(await source.arrayBuffer());
  if (/^(https?|data):/i.test(source)) {
    throw new TypeError(
      `encodeImage takes the path of a file, given ${source.slice(0, 60)}: the image field takes URLs as they are`,
    );
  }
  // Only here, so that browsers never ask for it.
  const { readFile } = await import('node:fs/promises');
  return readFile(source);
}

/**
 * The points of a `/pc` answer.
 *
 * @param base64 `pointcloud`
 * @param shape `pointcloud_shape`, [N, 3]
 * @returns float32, row-major [N, 3]: x right, y down, z forward, in the answer's unit
 * @throws RangeError when the two do not fit; SyntaxError for what is not base64
 */
export function decodePointcloud(
  base64: string,
  shape: readonly number[],
): Float32Array<ArrayBuffer> {
  if (shape.length === 2 && shape[1] === 3) return decodeFloats(base64, shape);
  throw new RangeError(`the shape of a point cloud is [N, 3], given [${shape.join(', ')}]`);
}

/**
 * The depth map of any answer.
 *
 * @param base64 `depth_map`
 * @param shape `shape`, or `depth_shape` of a `/pc` answer: [H, W]
 * @returns float32, row-major [H, W]
 * @throws RangeError when the two do not fit; SyntaxError for what is not base64
 */
export function decodeDepthMap(
  base64: string,
  shape: readonly number[],
): Float32Array<ArrayBuffer> {
  if (shape.length === 2) return decodeFloats(base64, shape);
  throw new RangeError(`the shape of a depth map is [H, W], given [${shape.join(', ')}]`);
}

/** Little-endian, as is every platform that this runs on. */
function decodeFloats(base64: string, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const bytes = Uint8Array.fromBase64(base64);
  const wanted = shape.reduce((size, side) => size * side, Float32Array.BYTES_PER_ELEMENT);
  if (bytes.byteLength === wanted) return new Float32Array(bytes.buffer);
  throw new RangeError(
    `${bytes.byteLength} bytes do not fill float32 [${shape.join(', ')}], which has ${wanted}`,
  );
}
