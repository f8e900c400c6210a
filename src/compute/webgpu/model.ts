import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as ort from 'onnxruntime-web/jspi';
import type { Model, ModelOptions, TensorSpec } from '../backend.ts';
import { isStatic, toSpec } from '../spec.ts';
import type { DType, Tensor } from '../tensor.ts';
import { asGpu, GpuTensor } from './gpu_tensor.ts';

type Allocate = (dtype: DType, dims: readonly number[]) => GpuTensor;

/**
 * onnxruntime hangs for good when two calls are in flight, so creations and runs of all sessions
 * in this thread go through one chain.
 */
let last: Promise<unknown> = Promise.resolve();
function serially<T>(work: () => Promise<T>): Promise<T> {
  const result = last.then(work);
  last = result.catch(() => {});
  return result;
}

/**
 * Opens an ONNX file on onnxruntime-web's WebGPU provider over our own device, so that tensors
 * never leave the GPU.
 */
export function openWebModel(
  device: GPUDevice,
  allocate: Allocate,
  path: string,
  options: ModelOptions,
): Promise<Model> {
  return serially(async () => {
    configure(device);
    const session = await createSession(device, path, options, options.capture ?? false);
    const { inputs, outputs } = specsOf(session, options);
    if (!options.capture) return new WebModel(session, inputs, outputs);
    if (isStatic([...inputs, ...outputs])) {
      return new CapturedModel(session, device, inputs, outputs, allocate);
    }
    await session.release();
    return new WebModel(await createSession(device, path, options, false), inputs, outputs);
  });
}

function configure(device: GPUDevice): void {
  // Typed as a promise, because reading it gives one; setting takes the device itself.
  ort.env.webgpu.device = device as never;
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
}

async function createSession(
  device: GPUDevice,
  path: string,
  options: ModelOptions,
  enableGraphCapture: boolean,
): Promise<ort.InferenceSession> {
  const bytes = await Bun.file(path).bytes();
  // onnxruntime-web takes Bun for Node and puts Node's Worker in the place of the global one.
  const { Worker } = globalThis;
  const session = ort.InferenceSession.create(bytes, {
    // NHWC, the default, gives wrong SAM 3 tracker masks.
    executionProviders: [{ name: 'webgpu', device, preferredLayout: 'NCHW' } as never],
    preferredOutputLocation: 'gpu-buffer',
    enableGraphCapture,
    freeDimensionOverrides: options.fixedDims,
    externalData: externalData(path),
    // Warnings about shape operators on the CPU, where they belong.
    logSeverityLevel: 3,
  });
  return session.finally(() => {
    globalThis.Worker = Worker;
  });
}

/** Weights that lie beside the graph as `<name>.onnx_data*` or `<name>.onnx.data`. */
function externalData(path: string): { path: string; data: string }[] | undefined {
  const folder = dirname(path);
  if (!existsSync(folder)) return undefined;
  const stem = basename(path);
  const names = readdirSync(folder).filter(
    (name) => name.startsWith(`${stem}_data`) || name === `${stem}.data`,
  );
  if (names.length === 0) return undefined;
  return names.map((name) => ({ path: name, data: pathToFileURL(join(folder, name)).href }));
}

function specsOf(session: ort.InferenceSession, { fixedDims }: ModelOptions) {
  const toSpecs = (all: readonly ort.InferenceSession.ValueMetadata[]) =>
    all.map((metadata) => toSpec(metadata, fixedDims));
  return { inputs: toSpecs(session.inputMetadata), outputs: toSpecs(session.outputMetadata) };
}

function toOrt(tensor: Tensor): ort.Tensor {
  const { buffer, dtype, dims } = asGpu(tensor);
  return ort.Tensor.fromGpuBuffer(buffer as never, {
    dataType: dtype as 'float32',
    dims: [...dims],
  });
}

/** A graph with free dimensions: onnxruntime allocates the outputs. */
class WebModel implements Model {
  readonly reusesOutputs = false;

  constructor(
    private readonly session: ort.InferenceSession,
    readonly inputs: readonly TensorSpec[],
    readonly outputs: readonly TensorSpec[],
  ) {}

  run(feeds: Readonly<Record<string, Tensor>>, wanted: readonly string[]) {
    return serially(async () => {
      const inputs = Object.fromEntries(
        Object.entries(feeds).map(([name, tensor]) => [name, toOrt(tensor)]),
      );
      const results = await this.session.run(inputs, [...wanted]);
      return Object.fromEntries(wanted.map((name) => [name, fromOrt(results[name])]));
    });
  }

  async dispose(): Promise<void> {
    await serially(() => this.session.release());
  }
}

/** Bytes of results that onnxruntime allocated and nobody has released yet. */
let lentBytes = 0;

export function outputMemory(): number {
  return lentBytes;
}

function fromOrt(result: ort.OnnxValue): GpuTensor {
  const tensor = result as ort.Tensor;
  const buffer = tensor.gpuBuffer as unknown as GPUBuffer;
  lentBytes += buffer.size;
  return new GpuTensor(tensor.type as DType, tensor.dims, buffer, {
    release: () => {
      lentBytes -= buffer.size;
      tensor.dispose();
    },
  });
}

/**
 * A graph of fixed shape: its commands are recorded once and replayed over the same buffers. It
 * owns the inputs and copies the feeds in; onnxruntime owns the outputs, which the next run
 * overwrites. (Outputs of our own are not bound: onnxruntime-web 1.30 drops its handle to them
 * after the first run and looks it up again at each replay.)
 */
class CapturedModel implements Model {
  readonly reusesOutputs = true;
  private readonly own: ReadonlyMap<string, GpuTensor>;
  private readonly feeds: Record<string, ort.Tensor>;
  private readonly outputNames: readonly string[];

  constructor(
    private readonly session: ort.InferenceSession,
    private readonly device: GPUDevice,
    readonly inputs: readonly TensorSpec[],
    readonly outputs: readonly TensorSpec[],
    allocate: Allocate,
  ) {
    this.own = new Map(
      inputs.map(({ name, dtype, dims }) => [name, allocate(dtype, dims as number[])]),
    );
    this.feeds = Object.fromEntries([...this.own].map(([name, tensor]) => [name, toOrt(tensor)]));
    this.outputNames = outputs.map(({ name }) => name);
  }

  run(feeds: Readonly<Record<string, Tensor>>, wanted: readonly string[]) {
    return serially(async () => {
      this.copyIn(feeds);
      // Always all outputs: the first run decides which are bound.
      const results = await this.session.run(this.feeds, this.outputNames);
      for (const name of this.outputNames) {
        if (!wanted.includes(name)) (results[name] as ort.Tensor).dispose();
      }
      return Object.fromEntries(wanted.map((name) => [name, fromOrt(results[name])]));
    });
  }

  private copyIn(feeds: Readonly<Record<string, Tensor>>): void {
    const encoder = this.device.createCommandEncoder();
    for (const [name, target] of this.own) {
      const source = asGpu(feeds[name]);
      if (source.dims.join() !== target.dims.join()) {
        throw new RangeError(`input ${name}: expected [${target.dims}], given [${source.dims}]`);
      }
      const bytes = Math.ceil(source.byteLength / 4) * 4;
      encoder.copyBufferToBuffer(source.buffer, 0, target.buffer, 0, bytes);
    }
    this.device.queue.submit([encoder.finish()]);
  }

  async dispose(): Promise<void> {
    await serially(() => this.session.release());
    for (const tensor of this.own.values()) tensor.release();
  }
}
