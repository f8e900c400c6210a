import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { depthHints } from '../models/catalogue.ts';
import { type Axis, depthAxes, recogniseDepth } from '../models/contracts.ts';
import { readOnnxHeader } from '../models/onnx_header.ts';
import { type ResolvedDepth, resolveDepth } from '../models/resolve.ts';
import type { ModelStore } from '../models/store.ts';
import type { Size } from './input_size.ts';
import type { DepthGraph } from './task.ts';

export interface DepthModelRequest {
  readonly encoder: 'vits' | 'vitb' | 'vitl' | 'mini';
  readonly dataset: 'hypersim' | 'vkitti';
  readonly kind: 'metric' | 'relative';
}

/** A graph that answers a request, and how. */
export interface DepthModel {
  readonly graph: DepthGraph;
  /** Metres at a sigmoid of 1; 1 for a relative model. */
  readonly trainedMaxDepth: number;
  /** Set when the graph takes one size only. */
  readonly fixedSize: Size | null;
}

/** Finds the graph for a request and reads its header once. */
export class DepthModels {
  private readonly known = new Map<string, DepthModel>();

  constructor(
    private readonly store: ModelStore,
    private readonly strict: boolean,
  ) {}

  /**
   * @param device what the model will run on, which decides the precision
   * @throws ModelNotInstalledError when nothing answers, or nothing exactly in strict mode
   */
  find(request: DepthModelRequest, device: 'webgpu' | 'cpu'): DepthModel & { exact: boolean } {
    const { store, strict } = this;
    const resolved = resolveDepth({ ...request, device, strict, store });
    // A file that was replaced is read again.
    const key = `${resolved.file} ${request.kind} ${statSync(resolved.file).mtimeMs}`;
    const model = this.known.get(key) ?? describe(resolved, request.kind);
    this.known.set(key, model);
    return { ...model, exact: resolved.exact };
  }
}

function describe({ entry, file }: ResolvedDepth, kind: 'metric' | 'relative'): DepthModel {
  const header = readOnnxHeader(file);
  const hints = { ...depthHints(entry), metadata: header.metadata, fileName: file };
  const contract = recogniseDepth(header, hints);
  const { batch, height, width } = depthAxes(header, contract);
  const relative = kind === 'relative';
  const files = [file, ...header.externalFiles.map((name) => join(dirname(file), name))];
  return {
    graph: {
      file,
      bytes: files.reduce((sum, path) => sum + statSync(path).size, 0),
      name: entry.id,
      input: contract.input,
      output: relative ? (contract.disparityOutput ?? contract.output) : contract.output,
      freeDims: { batch: freeName(batch), height: freeName(height), width: freeName(width) },
    },
    trainedMaxDepth: contract.trainedMaxDepth ?? 1,
    fixedSize:
      'size' in height && 'size' in width ? { width: width.size, height: height.size } : null,
  };
}

function freeName(axis: Axis): string | null {
  return 'size' in axis ? null : axis.name;
}
