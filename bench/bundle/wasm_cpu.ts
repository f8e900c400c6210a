import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as web from 'onnxruntime-web/jspi';

/**
 * Stands in for onnxruntime-node in the bundle, whose native library (46 MB, 11 MB packed) would
 * take it past its size: the same runtime compiled to WebAssembly, which is there for the GPU
 * anyway, computing on the processor with one thread. Slower, and equal to rounding.
 */
export { Tensor } from 'onnxruntime-web/jspi';

export const InferenceSession = {
  async create(
    path: string,
    options: web.InferenceSession.SessionOptions = {},
  ): Promise<web.InferenceSession> {
    web.env.wasm.numThreads = 1;
    web.env.logLevel = 'error';
    const bytes = await Bun.file(path).bytes();
    // onnxruntime-web puts Node's Worker in the place of the global one.
    const { Worker } = globalThis;
    const session = web.InferenceSession.create(bytes, {
      freeDimensionOverrides: options.freeDimensionOverrides,
      executionProviders: ['wasm'],
      externalData: externalData(path),
    });
    return session.finally(() => {
      globalThis.Worker = Worker;
    });
  },
};

/** The native runtime finds weights beside a graph by itself; this one is to be given them. */
function externalData(path: string): { path: string; data: string }[] | undefined {
  const folder = dirname(path);
  if (!existsSync(folder)) return undefined;
  const names = readdirSync(folder).filter((name) => name.startsWith(`${basename(path)}_data`));
  if (names.length === 0) return undefined;
  return names.map((name) => ({ path: name, data: pathToFileURL(join(folder, name)).href }));
}
