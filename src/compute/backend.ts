import type { Kernel, UniformLayout, UniformValues } from './kernel.ts';
import type { RasterKernel } from './raster.ts';
import type { ArrayFor, CopyRange, DType, Tensor, TypedArray } from './tensor.ts';

/** What the user may ask for; `auto` is a hardware GPU if there is one, else the CPU. */
export type DeviceChoice = 'auto' | 'webgpu' | 'cpu' | 'software';

/** What a backend runs on, as `/health` and the bench report it. */
export interface DeviceInfo {
  readonly kind: 'webgpu' | 'cpu';
  /** Adapter or processor name. */
  readonly name: string;
  /** True when WebGPU runs on a CPU rasteriser (SwiftShader). */
  readonly software: boolean;
  readonly features: readonly string[];
  /** Why the CPU was taken although a GPU was wanted if there is one. */
  readonly note?: string;
}

/** Bytes held by a backend: in use by live tensors, and kept for reuse. */
export interface MemoryUse {
  readonly usedBytes: number;
  readonly pooledBytes: number;
}

/** A graph input or output: symbolic dimensions are strings, '' where they have no name. */
export interface TensorSpec {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly (number | string)[];
}

export interface ModelOptions {
  /** Fixes symbolic dimensions by name. */
  readonly fixedDims?: Readonly<Record<string, number>>;
  /**
   * WebGPU: record the graph's commands once and replay them, which costs a tenth of the CPU time.
   * Done when no dimension is left free; ignored on the CPU.
   */
  readonly capture?: boolean;
}

/** An opened ONNX graph. */
export interface Model {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Whether a run overwrites the results of the one before, as a captured graph's does. */
  readonly reusesOutputs: boolean;
  /**
   * Runs the graph. Feeds stay the caller's. Results are the caller's to release; those of a
   * captured graph are overwritten by its next run.
   */
  run(
    feeds: Readonly<Record<string, Tensor>>,
    wanted: readonly string[],
  ): Promise<Record<string, Tensor>>;
  dispose(): Promise<void>;
}

/** Why a device stopped working. */
export interface DeviceLoss {
  readonly reason: string;
  readonly message: string;
}

/**
 * The whole device contract. A pipeline is written once against it and runs on either backend.
 * One caller at a time: the engine worker runs tasks one after another.
 */
export interface Backend {
  readonly info: DeviceInfo;
  /** Bytes of the largest tensor, a graph's own included; Infinity on the CPU. */
  readonly maxTensorBytes: number;
  /** Settles if the device is lost; never on the CPU. */
  readonly lost: Promise<DeviceLoss>;
  /** A tensor of undefined content. */
  empty<D extends DType>(dtype: D, dims: readonly number[]): Tensor<D>;
  /**
   * Copies host data to the device; `dtype` tells `bool` from `uint8`, which share an array type.
   *
   * @throws {RangeError} where data and shape disagree.
   */
  upload(data: TypedArray, dims: readonly number[], dtype?: DType): Tensor;
  /**
   * Copies elements into another tensor of the same type, on the device.
   *
   * @throws {RangeError} unless they exist, fit, and have 4 or 8 bytes each.
   */
  copy<D extends DType>(source: Tensor<D>, target: Tensor<D>, range?: CopyRange): void;
  /** Copies a tensor into a fresh host array, which the caller may transfer. */
  download<D extends DType>(tensor: Tensor<D>): Promise<ArrayFor<D>>;
  /** Enqueues a kernel; buffers in the order of `kernel.buffers`. */
  run<U extends UniformLayout>(
    kernel: Kernel<U>,
    buffers: readonly Tensor[],
    params: UniformValues<U>,
  ): void;
  /** Enqueues a kernel that draws triangles; buffers in the order of `kernel.buffers`. */
  draw<U extends UniformLayout>(
    kernel: RasterKernel<U>,
    buffers: readonly Tensor[],
    params: UniformValues<U>,
  ): void;
  /** Opens an ONNX file; external data files must lie beside it. */
  openModel(path: string, options?: ModelOptions): Promise<Model>;
  /** Gives a tensor's memory back to the pool. */
  release(...tensors: readonly Tensor[]): void;
  /** Resolves when all enqueued work has finished. */
  synchronize(): Promise<void>;
  memory(): MemoryUse;
  /** Nanoseconds on the GPU by kernel name since the last call; empty without timestamps. */
  kernelTimes(): Promise<ReadonlyMap<string, number[]>>;
  dispose(): Promise<void>;
}
