import { statSync } from 'node:fs';
import { depthHints } from '../models/catalogue.ts';
import { type Axis, type DepthHints, depthAxes, recogniseDepth } from '../models/contracts.ts';
import { externalFiles } from '../models/graph_check.ts';
import { readOnnxHeader } from '../models/onnx_header.ts';
import { resolveDepth } from '../models/resolve.ts';
import type { ModelStore } from '../models/store.ts';
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
  /** Sides that the graph fixes; the image is stretched to them. */
  readonly fixedSize: { readonly width: number | null; readonly height: number | null };
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
    const key = `${resolved.file} ${request.kind} ${versionOf(resolved.file)}`;
    const model =
      this.known.get(key) ??
      describeGraph({
        file: resolved.file,
        name: resolved.entry.id,
        kind: request.kind,
        hints: depthHints(resolved.entry),
      });
    this.known.set(key, model);
    return { ...model, exact: resolved.exact };
  }
}

interface GraphFile {
  readonly file: string;
  /** As responses name it. */
  readonly name: string;
  readonly kind: 'metric' | 'relative';
  readonly hints: DepthHints;
}

/**
 * Reads how a graph file is fed, for answers of one kind.
 *
 * @throws ModelError when it is no known depth graph
 */
export function describeGraph({ file, name, kind, hints }: GraphFile): DepthModel {
  const header = readOnnxHeader(file);
  const contract = recogniseDepth(header, { fileName: file, metadata: header.metadata, ...hints });
  const { batch, height, width } = depthAxes(header, contract);
  const relative = kind === 'relative';
  const files = [file, ...externalFiles(file, header)];
  return {
    graph: {
      file,
      version: versionOf(file),
      bytes: files.reduce((sum, path) => sum + statSync(path).size, 0),
      name,
      input: contract.input,
      output: relative ? (contract.disparityOutput ?? contract.output) : contract.output,
      freeDims: { batch: freeName(batch), height: freeName(height), width: freeName(width) },
    },
    trainedMaxDepth: contract.trainedMaxDepth ?? 1,
    fixedSize: { width: fixedSize(width), height: fixedSize(height) },
  };
}

function versionOf(file: string): number {
  return statSync(file).mtimeMs;
}

function fixedSize(axis: Axis): number | null {
  return 'size' in axis ? axis.size : null;
}

function freeName(axis: Axis): string | null {
  return 'size' in axis ? null : axis.name;
}
