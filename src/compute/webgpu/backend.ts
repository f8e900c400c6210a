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
import { type OpenedDevice, openDevice } from './device.ts';
import { asGpu, GpuTensor } from './gpu_tensor.ts';
import type { AdapterKind } from './instance.ts';
import { openWebModel, outputMemory } from './model.ts';
import { KernelRunner } from './pipelines.ts';
import { RasterRunner } from './raster.ts';
import { ReadbackRing } from './readback.ts';
import { attentionIsRight } from './self_check.ts';
import { GpuTimer } from './timestamps.ts';

/** Released buffers kept for reuse, at most. */
const MAX_POOLED_BYTES = 1 << 30;

/** Opens the WebGPU backend; see `openDevice` for which adapters are accepted. */
export async function openWebGpuBackend(
  kind: AdapterKind,
  options: WebGpuOptions = {},
): Promise<Backend> {
  const { subgroups } = options;
  const backend = new WebGpuBackend(await openDevice(kind, { subgroups }), options);
  const doubtful = subgroups === undefined && backend.info.features.includes('subgroups');
  if (!doubtful || (await attentionIsRight(backend).catch(() => false))) return backend;
  await backend.dispose();
  return openWebGpuBackend(kind, { ...options, subgroups: false });
}

interface WebGpuOptions {
  /** Time each kernel on the GPU's clock. */
  readonly timestamps?: boolean;
  /** Ask for the feature, or not, unchecked; by default on hardware, if attention is right. */
  readonly subgroups?: boolean;
  /** Pixels that a raster kernel draws in one pass, at most; see `planAtlas`. */
  readonly passPixels?: number;
}

class WebGpuBackend implements Backend {
  readonly info: DeviceInfo;
  readonly maxTensorBytes: number;
  readonly lost: Promise<DeviceLoss>;
  private readonly device: GPUDevice;
  private readonly pool: BufferPool<GPUBuffer>;
  private readonly readback: ReadbackRing;
  private readonly timer: GpuTimer | null;
  private readonly kernels: KernelRunner;
  private readonly rasters: RasterRunner;
  /** The first error since the last download: WebGPU reports them late, and to nobody. */
  private failure: string | undefined;

  constructor({ device, info }: OpenedDevice, { timestamps = false, passPixels }: WebGpuOptions) {
    this.info = info;
    this.device = device;
    const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
    this.maxTensorBytes = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    this.lost = device.lost.then(({ reason, message }) => ({ reason, message }));
    this.pool = new BufferPool(
      (size) =>
        device.createBuffer({
          size,
          usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
        }),
      (buffer) => buffer.destroy(),
      MAX_POOLED_BYTES,
    );
    this.readback = new ReadbackRing(device);
    device.addEventListener('uncapturederror', (event) => {
      event.preventDefault();
      this.failure ??= event.error.message;
    });
    this.timer = timestamps && device.features.has('timestamp-query') ? new GpuTimer(device) : null;
    this.kernels = new KernelRunner(device, this.timer);
    this.rasters = new RasterRunner(device, this.timer, passPixels);
  }

  empty<D extends DType>(dtype: D, dims: readonly number[]): GpuTensor<D> {
    const bytes = elementCount(dims) * BYTES[dtype];
    if (bytes > this.maxTensorBytes) {
      throw new RangeError(
        `a ${dtype} tensor of [${dims}] has ${bytes} bytes; this device takes at most ${this.maxTensorBytes}`,
      );
    }
    const buffer = this.pool.acquire(bytes);
    return new GpuTensor(dtype, dims, buffer, { release: () => this.pool.release(buffer, bytes) });
  }

  upload(data: TypedArray, dims: readonly number[], dtype: DType = dtypeOf(data)): Tensor {
    checkLength(data, dims);
    const tensor = this.empty(dtype, dims);
    const whole = data.byteLength & ~3;
    const { buffer, byteOffset } = data;
    this.device.queue.writeBuffer(tensor.buffer, 0, buffer, byteOffset, whole);
    if (whole < data.byteLength) {
      const tail = new Uint8Array(4);
      tail.set(new Uint8Array(buffer, byteOffset + whole, data.byteLength - whole));
      this.device.queue.writeBuffer(tensor.buffer, whole, tail);
    }
    return tensor;
  }

  copy<D extends DType>(source: Tensor<D>, target: Tensor<D>, range?: CopyRange): void {
    const { from, to, size } = copyBytes(source, target, range);
    const encoder = this.device.createCommandEncoder();
    encoder.copyBufferToBuffer(asGpu(source).buffer, from, asGpu(target).buffer, to, size);
    this.device.queue.submit([encoder.finish()]);
  }

  async download<D extends DType>(tensor: Tensor<D>): Promise<ArrayFor<D>> {
    const source = asGpu(tensor);
    const bytes = await this.readback.read(source.buffer, source.byteLength);
    this.throwFailure();
    return viewOf(tensor.dtype, bytes, elementCount(tensor.dims));
  }

  run<U extends UniformLayout>(
    kernel: Kernel<U>,
    buffers: readonly Tensor[],
    params: UniformValues<U>,
  ): void {
    this.kernels.run(kernel, buffers.map(asGpu), params);
  }

  draw<U extends UniformLayout>(
    kernel: RasterKernel<U>,
    buffers: readonly Tensor[],
    params: UniformValues<U>,
  ): void {
    this.rasters.draw(kernel, buffers.map(asGpu), params);
  }

  openModel(path: string, options: ModelOptions = {}): Promise<Model> {
    return openWebModel(this.device, (dtype, dims) => this.empty(dtype, dims), path, options);
  }

  release(...tensors: readonly Tensor[]): void {
    for (const tensor of tensors) asGpu(tensor).release();
  }

  async synchronize(): Promise<void> {
    await this.device.queue.onSubmittedWorkDone();
    this.throwFailure();
  }

  /** What came out after an error may be another request's data. */
  private throwFailure(): void {
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw new Error(`the GPU refused a command: ${failure}`);
  }

  memory(): MemoryUse {
    const pool = this.pool.memory();
    const staging = this.readback.memory();
    return {
      usedBytes: pool.usedBytes + staging.usedBytes + outputMemory(),
      pooledBytes: pool.pooledBytes + staging.pooledBytes + this.rasters.byteLength,
    };
  }

  async kernelTimes(): Promise<ReadonlyMap<string, number[]>> {
    if (!this.timer) return new Map();
    return this.timer.take((source, bytes) => this.readback.read(source, bytes));
  }

  async dispose(): Promise<void> {
    this.pool.clear();
    this.readback.clear();
    this.rasters.clear();
    this.device.destroy();
  }
}
