import type { Backend, Model, TensorSpec } from '../compute/backend.ts';
import { withTensors } from '../compute/scope.ts';
import { elementCount, type Tensor } from '../compute/tensor.ts';

/** Between captured and free runs of one graph there is only rounding, also in fp16. */
const TOLERANCE = 0.02;

/**
 * Whether a captured graph replays what the same graph computes uncaptured. onnxruntime-web 1.30
 * does not replay buffer copies, such as a Squeeze before a graph output becomes, and says nothing.
 *
 * Both are run on the second of two noise inputs, so that a replay that repeats its first result
 * is told apart too.
 */
export async function replaysTruly(
  backend: Backend,
  captured: Model,
  free: Model,
): Promise<boolean> {
  await runOn(backend, captured, captured.inputs, 1);
  const replayed = await runOn(backend, captured, captured.inputs, 2);
  const expected = await runOn(backend, free, captured.inputs, 2);
  return expected.every((output, i) => agree(replayed[i], output));
}

/** All outputs, for noise of a seed; the shapes are those of the captured graph. */
function runOn(backend: Backend, model: Model, inputs: readonly TensorSpec[], seed: number) {
  return withTensors(backend, async (keep) => {
    const feeds = Object.fromEntries(
      inputs.map((input) => [input.name, keep(noise(backend, input, seed))]),
    );
    const names = model.outputs.map(({ name }) => name);
    const results = await model.run(feeds, names);
    const outputs: Float32Array[] = [];
    for (const name of names)
      outputs.push(Float32Array.from(await numbers(backend, keep(results[name]))));
    return outputs;
  });
}

async function numbers(backend: Backend, tensor: Tensor): Promise<ArrayLike<number>> {
  const data = await backend.download(tensor);
  return data instanceof BigInt64Array ? Array.from(data, Number) : (data as Float32Array);
}

/** float32 in (−2, 2), without a pattern; other types are zero, which is valid for any index. */
function noise(backend: Backend, { dtype, dims }: TensorSpec, seed: number): Tensor {
  const shape = dims as number[];
  const length = elementCount(shape);
  if (dtype === 'int64') return backend.upload(new BigInt64Array(length), shape);
  if (dtype === 'uint8') return backend.upload(new Uint8Array(length), shape);
  if (dtype === 'bool') return backend.upload(new Uint8Array(length).fill(1), shape, 'bool');
  if (dtype === 'uint32') return backend.upload(new Uint32Array(length), shape);
  const data = Float32Array.from({ length }, (_, i) => 2 * Math.sin((i % 8191) ** 2 * seed + i));
  return backend.upload(data, shape);
}

function agree(actual: Float32Array, expected: Float32Array): boolean {
  if (actual.length !== expected.length) return false;
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return actual.every((value, i) => Math.abs(value - expected[i]) <= TOLERANCE * largest);
}
