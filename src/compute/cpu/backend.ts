import { availableParallelism, cpus } from 'node:os';
import type {
  Backend,
  DeviceInfo,
  DeviceLoss,
  MemoryUse,
  Model,
  ModelOptions,
} from '../backend.ts';
import type { Kernel, UniformLayout, UniformValues } from '../kernel.ts';
import { BufferPool } from '../pool.ts';
import type { RasterKernel } from '../raster.ts';
import {
  type ArrayFor,
  BYTES,
  type CopyRange,
  checkLength,
  copyBytes,
  type DType,
  dtypeOf,
  elementCount,
  type Tensor,
  type TypedArray,
  viewOf,
} from '../tensor.ts';
import { asCpu, CpuTensor } from './cpu_tensor.ts';
import { openNativeModel } from './model.ts';

const MAX_POOLED_BYTES = 256 << 20;

/**
 * Opens the CPU backend.
 *
 * @param threads threads of onnxruntime within one operator; default: all processors.
 * @param note why it is not a GPU
 */
export function openCpuBackend(threads: number = availableParallelism(), note?: string): Backend {
  return new CpuBackend(threads, note);
}

class CpuBackend implements Backend {
  readonly info: DeviceInfo;
  readonly maxTensorBytes = Number.POSITIVE_INFINITY;
  readonly lost = new Promise<DeviceLoss>(() => {});
  private readonly pool = new BufferPool<ArrayBuffer>(
    (size) => new ArrayBuffer(size),
    () => {},
    MAX_POOLED_BYTES,
  );

  constructor(
    private readonly threads: number,
    note?: string,
  ) {
    const name = cpus()[0]?.model ?? process.arch;
    this.info = { kind: 'cpu', name, software: false, features: [], note };
  }

  empty<D extends DType>(dtype: D, dims: readonly number[]): CpuTensor<D> {
    const count = elementCount(dims);
    const bytes = count * BYTES[dtype];
    const buffer = this.pool.acquire(bytes);
    const release = () => this.pool.release(buffer, bytes);
    return new CpuTensor(dtype, dims, viewOf(dtype, buffer, count), release);
  }

  upload(data: TypedArray, dims: readonly number[], dtype: DType = dtypeOf(data)): Tensor {
    checkLength(data, dims);
    const tensor = this.empty(dtype, dims);
    const { buffer, byteOffset, byteLength } = data;
    bytesOf(tensor.data).set(new Uint8Array(buffer, byteOffset, byteLength));
    return tensor;
  }

  copy<D extends DType>(source: Tensor<D>, target: Tensor<D>, range?: CopyRange): void {
    const { from, to, size } = copyBytes(source, target, range);
    const bytes = bytesOf(asCpu(source).data).subarray(from, from + size);
    bytesOf(asCpu(target).data).set(bytes, to);
  }

  async download<D extends DType>(tensor: Tensor<D>): Promise<ArrayFor<D>> {
    return asCpu(tensor).data.slice() as ArrayFor<D>;
  }

  run<U extends UniformLayout>(
    kernel: Kernel<U>,
    buffers: readonly Tensor[],
    params: UniformValues<U>,
  ): void {
    kernel.cpu(
      buffers.map((tensor) => asCpu(tensor).data),
      params,
    );
  }

  draw<U extends UniformLayout>(
    kernel: RasterKernel<U>,
    buffers: readonly Tensor[],
    params: UniformValues<U>,
  ): void {
    kernel.cpu(
      buffers.map((tensor) => asCpu(tensor).data),
      params,
    );
  }

  openModel(path: string, options: ModelOptions = {}): Promise<Model> {
    return openNativeModel(path, options, this.threads);
  }

  release(...tensors: readonly Tensor[]): void {
    for (const tensor of tensors) asCpu(tensor).release();
  }

  async synchronize(): Promise<void> {}

  memory(): MemoryUse {
    return this.pool.memory();
  }

  async kernelTimes(): Promise<ReadonlyMap<string, number[]>> {
    return new Map();
  }

  async dispose(): Promise<void> {
    this.pool.clear();
  }
}

function bytesOf(data: TypedArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
