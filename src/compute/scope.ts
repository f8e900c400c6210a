import type { Backend } from './backend.ts';
import type { Tensor } from './tensor.ts';

/**
 * Runs `body` and gives back every tensor it kept, also when it throws, so that bad input leaves
 * nothing on the device.
 */
export async function withTensors<T>(
  backend: Backend,
  body: (keep: <V extends Tensor>(tensor: V) => V) => Promise<T>,
): Promise<T> {
  const kept: Tensor[] = [];
  try {
    return await body((tensor) => {
      kept.push(tensor);
      return tensor;
    });
  } finally {
    backend.release(...kept);
  }
}
