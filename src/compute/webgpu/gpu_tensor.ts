import { BYTES, type DType, elementCount, type Tensor } from '../tensor.ts';

/** How a GPU tensor's memory is given back. */
export type Owner = { readonly release: () => void };

/** A tensor in a storage buffer, which may be longer than the data. */
export class GpuTensor<D extends DType = DType> implements Tensor<D> {
  constructor(
    readonly dtype: D,
    readonly dims: readonly number[],
    readonly buffer: GPUBuffer,
    private owner: Owner | null,
  ) {}

  get byteLength(): number {
    return elementCount(this.dims) * BYTES[this.dtype];
  }

  /** Gives the memory back; a second call, or one on a lent tensor, does nothing. */
  release(): void {
    this.owner?.release();
    this.owner = null;
  }
}

/** Narrows a tensor of the contract to this backend's. */
export function asGpu(tensor: Tensor): GpuTensor {
  if (tensor instanceof GpuTensor) return tensor;
  throw new TypeError('expected a tensor of the webgpu backend, given one of another backend');
}
