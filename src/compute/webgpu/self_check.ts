import { fileURLToPath } from 'node:url';
import type { Backend } from '../backend.ts';
import { withTensors } from '../scope.ts';

const GRAPH = fileURLToPath(new URL('./attention.onnx', import.meta.url));
const HEADS = 2;
const WIDTH = 64;
/** SwiftShader with `subgroups` is wrong from 64 on. */
const SEQUENCE = 128;

/** float32 attention differs from float64 by some 1e-6; the known fault by over 0.01. */
const TOLERANCE = 1e-4;

/**
 * Whether onnxruntime computes attention right on this device: with the `subgroups` feature some
 * drivers give wrong results and no error.
 */
export async function attentionIsRight(backend: Backend): Promise<boolean> {
  const inputs = ['query', 'key', 'value'].map((name, index) => ({ name, data: wave(index + 1) }));
  const model = await backend.openModel(GRAPH);
  try {
    const result = await withTensors(backend, async (keep) => {
      const feeds = Object.fromEntries(
        inputs.map(({ name, data }) => [name, keep(backend.upload(data, [1, SEQUENCE, WIDTH]))]),
      );
      const { attention } = await model.run(feeds, ['attention']);
      return (await backend.download(keep(attention))) as Float32Array;
    });
    const [query, key, value] = inputs.map(({ data }) => data);
    const expected = attention(query, key, value);
    return result.every((number, i) => Math.abs(number - expected[i]) < TOLERANCE);
  } finally {
    await model.dispose();
  }
}

/** Values in (−1, 1) without a pattern that attention could hide. */
function wave(frequency: number): Float32Array {
  return Float32Array.from({ length: SEQUENCE * WIDTH }, (_, i) => Math.sin(i * i * frequency));
}

/** softmax(QKᵀ/√d)·V by head, in float64 (Vaswani et al. 2017, equation 1). */
function attention(query: Float32Array, key: Float32Array, value: Float32Array): Float64Array {
  const out = new Float64Array(SEQUENCE * WIDTH);
  const size = WIDTH / HEADS;
  for (let head = 0; head < HEADS; head++) {
    for (let row = 0; row < SEQUENCE; row++) {
      const at = row * WIDTH + head * size;
      const weights = scores(query, key, at, head * size, size);
      for (let d = 0; d < size; d++) {
        for (let k = 0; k < SEQUENCE; k++) {
          out[at + d] += weights[k] * value[k * WIDTH + head * size + d];
        }
      }
    }
  }
  return out;
}

/** The softmax over all keys for the query that starts at `at`. */
function scores(query: Float32Array, key: Float32Array, at: number, first: number, size: number) {
  const exponentials = Float64Array.from({ length: SEQUENCE }, (_, k) => {
    let dot = 0;
    for (let d = 0; d < size; d++) dot += query[at + d] * key[k * WIDTH + first + d];
    return Math.exp(dot / Math.sqrt(size));
  });
  const sum = exponentials.reduce((total, one) => total + one, 0);
  return exponentials.map((one) => one / sum);
}
