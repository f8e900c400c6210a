import type { ArrayFor, DType, Tensor } from '../tensor.ts';

/** A tensor in host memory. */
export class CpuTensor<D extends DType = DType> implements Tensor<D> {
  constructor(
    readonly dtype: D,
    readonly dims: readonly number[],
    readonly data: ArrayFor<D>,
    private free: (() => void) | null,
  ) {}

  /** Gives the memory back; a second call does nothing. */
  release(): void {
    this.free?.();
    this.free = null;
  }
}

/** Narrows a tensor of the contract to this backend's. */
export function asCpu<D extends DType>(tensor: Tensor<D>): CpuTensor<D> {
  if (tensor instanceof CpuTensor) return tensor as CpuTensor<D>;
  throw new TypeError('expected a tensor of the cpu backend, given one of another backend');
}
