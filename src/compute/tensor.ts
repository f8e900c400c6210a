/** Element types that kernels and models exchange. */
export type DType = 'float32' | 'uint8' | 'uint32' | 'int64';

export type TypedArray = Float32Array | Uint8Array | Uint32Array | BigInt64Array;

interface ArrayOf {
  float32: Float32Array<ArrayBuffer>;
  uint8: Uint8Array<ArrayBuffer>;
  uint32: Uint32Array<ArrayBuffer>;
  int64: BigInt64Array<ArrayBuffer>;
}
/** The typed array that holds a dtype's elements. */
export type ArrayFor<D extends DType> = ArrayOf[D];

/** Bytes per element. */
export const BYTES: Record<DType, number> = { float32: 4, uint8: 1, uint32: 4, int64: 8 };

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
  };
  return views[dtype]() as ArrayFor<D>;
}

/** The dtype that a typed array holds. */
export function dtypeOf(data: TypedArray): DType {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Uint8Array) return 'uint8';
  if (data instanceof Uint32Array) return 'uint32';
  return 'int64';
}
