import type { Backend, Model, TensorSpec } from '../compute/backend.ts';
import type { Tensor } from '../compute/tensor.ts';

/** Numbers on their way to a graph, which decides their type. */
export interface HostArray {
  readonly values: ArrayLike<number>;
  readonly dims: readonly number[];
}

/**
 * Uploads what a graph has an input for, in the input's own type: published exports disagree on
 * whether labels and masks are int64, bool or float32.
 */
export function uploadFeeds(
  backend: Backend,
  { inputs }: Model,
  arrays: Readonly<Record<string, HostArray>>,
  keep: <T extends Tensor>(tensor: T) => T,
): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const spec of inputs) {
    const array = arrays[spec.name];
    if (array) feeds[spec.name] = keep(uploadAs(backend, spec, array));
  }
  return feeds;
}

function uploadAs(backend: Backend, { name, dtype }: TensorSpec, array: HostArray): Tensor {
  const { values, dims } = array;
  switch (dtype) {
    case 'float32':
      return backend.upload(Float32Array.from(values), dims);
    case 'int64':
      return backend.upload(BigInt64Array.from(Array.from(values, BigInt)), dims);
    case 'bool':
      return backend.upload(Uint8Array.from(values), dims, 'bool');
    default:
      throw new TypeError(
        `the graph's input ${name} is ${dtype}; expected float32, int64 or bool: use an export whose inputs are not in half precision`,
      );
  }
}

/** The shape of each feed, by name. */
export function shapesOf(
  feeds: Readonly<Record<string, Tensor>>,
): Record<string, readonly number[]> {
  return Object.fromEntries(Object.entries(feeds).map(([name, { dims }]) => [name, dims]));
}

/** How many of something a graph takes at once along an axis: what it fixes, or any number. */
export function axisLimit({ inputs }: Model, input: string, axis: number): number {
  const size = inputs.find(({ name }) => name === input)?.dims[axis];
  return typeof size === 'number' ? size : Number.POSITIVE_INFINITY;
}

/** Bytes of a float32 output for one prompt or object; 0 where the graph leaves more sizes open. */
export function bytesEach({ outputs }: Model, output: string): number {
  const dims = outputs.find(({ name }) => name === output)?.dims ?? [];
  const sizes = dims.filter((size) => typeof size === 'number') as number[];
  return 4 * sizes.reduce((product, size) => product * size, 1);
}
