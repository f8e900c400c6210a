import * as ort from 'onnxruntime-node';
import type { Model, ModelOptions, TensorSpec } from '../backend.ts';
import { toSpec } from '../spec.ts';
import { type DType, elementCount, type Tensor, viewOf } from '../tensor.ts';
import { asCpu, CpuTensor } from './cpu_tensor.ts';

/** Opens an ONNX file on onnxruntime's native CPU provider. */
export async function openNativeModel(
  path: string,
  options: ModelOptions,
  threads: number,
): Promise<Model> {
  const session = await ort.InferenceSession.create(path, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    freeDimensionOverrides: options.fixedDims,
    // Spinning threads would slow the request's own work on the other cores.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  return new NativeModel(session, options);
}

class NativeModel implements Model {
  readonly reusesOutputs = false;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];

  constructor(
    private readonly session: ort.InferenceSession,
    options: ModelOptions,
  ) {
    this.inputs = session.inputMetadata.map((metadata) => toSpec(metadata, options.fixedDims));
    this.outputs = session.outputMetadata.map((metadata) => toSpec(metadata, options.fixedDims));
  }

  async run(
    feeds: Readonly<Record<string, Tensor>>,
    wanted: readonly string[],
  ): Promise<Record<string, Tensor>> {
    const inputs = Object.fromEntries(
      Object.entries(feeds).map(([name, tensor]) => {
        const { dtype, data, dims } = asCpu(tensor);
        return [name, new ort.Tensor(dtype, data, [...dims])];
      }),
    );
    const results = await this.session.run(inputs, [...wanted]);
    return Object.fromEntries(wanted.map((name) => [name, fromOrt(results[name])]));
  }

  async dispose(): Promise<void> {
    await this.session.release();
  }
}

/** onnxruntime's own memory, freed when the tensor is collected: not pooled. */
function fromOrt(result: ort.OnnxValue): CpuTensor {
  const tensor = result as ort.Tensor;
  const data = tensor.data as Float32Array<ArrayBuffer>;
  const dtype = tensor.type as DType;
  const view = data.byteOffset === 0 ? viewOf(dtype, data.buffer, elementCount(tensor.dims)) : data;
  return new CpuTensor(dtype, tensor.dims, view, null);
}
