import type { Backend } from '../../src/compute/backend.ts';
import { withTensors } from '../../src/compute/scope.ts';
import { fillWeights, readRandomGraphs } from '../../src/models/random_weights.ts';
import { graphFile } from '../graphs.ts';
import { largestError, requireBelow } from './errors.ts';

/** Metres, of depths up to 20: what rounding in another order makes, in each precision. */
const TOLERANCE = { fp32: 0.02, fp16: 0.3 };

/**
 * Runs a graph of true size and random weights on the picture for which its depth was recorded
 * when it was made, from onnxruntime's CPU provider.
 */
export async function compareKnownAnswer(backend: Backend, name: string): Promise<unknown> {
  const { graphs, probeInput, probeStep } = await readRandomGraphs();
  const { dtype, input, output, probe } = graphs[name];
  const bytes = fillWeights(probeInput, probeInput.offset, probeInput.bytes);
  const started = performance.now();
  const model = await backend.openModel(await graphFile(name));
  const opened = performance.now();
  const depth = await withTensors(backend, async (keep) => {
    const image = keep(backend.upload(new Float32Array(bytes.buffer), [1, 3, 518, 518]));
    const results = await model.run({ [input]: image }, [output]);
    return (await backend.download(keep(results[output]))) as Float32Array;
  });
  const firstMs = performance.now() - opened;
  await model.dispose();
  const found = probe.values.map((_, index) => depth[index * probeStep]);
  const error = largestError(found, probe.values);
  requireBelow('the largest difference in metres', error, TOLERANCE[dtype]);
  return {
    largestDifferenceMetres: Number(error.toPrecision(3)),
    openMs: Math.round(opened - started),
    firstRunMs: Math.round(firstMs),
  };
}
