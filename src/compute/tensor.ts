/** Element types that kernels and models exchange; `bool` is a byte of 0 or 1, for models only. */
export type DType = 'float32' | 'uint8' | 'uint32' | 'int64' | 'bool';

export type TypedArray = Float32Array | Uint8Array | Uint32Array | BigInt64Array;

interface ArrayOf {
  float32: Float32Array<ArrayBuffer>;
  uint8: Uint8Array<ArrayBuffer>;
  uint32: Uint32Array<ArrayBuffer>;
  int64: BigInt64Array<ArrayBuffer>;
  bool: Uint8Array<ArrayBuffer>;
}
/** The typed array that holds a dtype's elements. */
export type ArrayFor<D extends DType> = ArrayOf[D];

/** Bytes per element. */
export const BYTES: Record<DType, number> = { float32: 4, uint8: 1, uint32: 4, int64: 8, bool: 1 };

/**
 * An n-dimensional, row-major array that lives where its backend computes.
 * Only the backend that made it can read or release it.
 */
export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly dims: readonly number[];
}

/** Number of elements of a shape; 1 for a scalar (`[]`). */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** A typed view of `dtype` over the first `count` elements of a buffer. */
export function viewOf<D extends DType>(dtype: D, buffer: ArrayBuffer, count: number): ArrayFor<D> {
  const views: { [K in DType]: () => ArrayFor<K> } = {
    float32: () => new Float32Array(buffer, 0, count),
    uint8: () => new Uint8Array(buffer, 0, count),
    uint32: () => new Uint32Array(buffer, 0, count),
    int64: () => new BigInt64Array(buffer, 0, count),
    bool: () => new Uint8Array(buffer, 0, count),
  };
  return views[dtype]() as ArrayFor<D>;
}

/** The dtype that a typed array holds; bytes are uint8. */
export function dtypeOf(data: TypedArray): DType {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Uint8Array) return 'uint8';
  if (data instanceof Uint32Array) return 'uint32';
  return 'int64';
}

/**
 * What `Backend.upload` asks of its arguments: past its end a buffer belongs to others.
 *
 * @throws {RangeError} where data and shape disagree.
 */
export function checkLength(data: TypedArray, dims: readonly number[]): void {
  if (data.length === elementCount(dims)) return;
  throw new RangeError(
    `${data.length} elements for a tensor of [${dims}]; expected ${elementCount(dims)}`,
  );
}

/** Which elements to copy, and where to. */
export interface CopyRange {
  /** First element of the source; default 0. */
  readonly from?: number;
  /** First element of the target; default 0. */
  readonly to?: number;
  /** Default: all from `from` on. */
  readonly count?: number;
}

/**
 * A checked range in bytes. WebGPU copies whole words.
 *
 * @throws {RangeError} for types that differ or are smaller, and for elements that don't exist.
 */
export function copyBytes(
  source: Tensor,
  target: Tensor,
  { from = 0, to = 0, count = elementCount(source.dims) - from }: CopyRange = {},
): { from: number; to: number; size: number } {
  const bytes = BYTES[source.dtype];
  const isInside =
    Math.min(from, to, count) >= 0 &&
    from + count <= elementCount(source.dims) &&
    to + count <= elementCount(target.dims);
  if (isInside && source.dtype === target.dtype && bytes % 4 === 0) {
    return { from: from * bytes, to: to * bytes, size: count * bytes };
  }
  throw new RangeError(
    `cannot copy ${count} elements of ${source.dtype} [${source.dims}] from ${from} into ${target.dtype} [${target.dims}] at ${to}: expected equal types of 4 or 8 bytes and elements that exist`,
  );
}
