import { statSync } from 'node:fs';
import { basename, dirname, resolve, sep } from 'node:path';
import { depthHints } from './catalogue.ts';
import { type DepthAxes, type DepthContract, depthAxes, recogniseDepth } from './contracts.ts';
import { type DepthEntry, PREFERENCE, type Precision } from './entry.ts';
import { ModelError } from './errors.ts';
import { type OnnxHeader, readOnnxHeader } from './onnx_header.ts';

/** What can be known of a depth graph before a session is opened. */
export interface DepthGraph {
  readonly header: OnnxHeader;
  readonly contract: DepthContract;
  readonly axes: DepthAxes;
}

/**
 * Reads and recognises the graph of an entry.
 *
 * @param file absolute path of the graph
 * @throws ModelError `format` where it is no ONNX, `unknown-graph` where it is no depth graph.
 */
export function inspectDepthGraph(file: string, entry: DepthEntry): DepthGraph {
  const header = readOnnxHeader(file);
  const hints = { ...depthHints(entry), metadata: header.metadata, fileName: basename(file) };
  const contract = recogniseDepth(header, hints);
  if (entry.alsoRelative && contract.disparityOutput === undefined) {
    throw new ModelError(
      'unknown-graph',
      `${file} has outputs ${header.outputs.map(({ name }) => name).join(', ')}; ${entry.id} is ` +
        'expected to have a second one for relative depth',
    );
  }
  return { header, contract, axes: depthAxes(header, contract) };
}

/**
 * The weight files a graph refers to, as absolute paths.
 *
 * @throws ModelError `format` for a reference out of the graph's own folder.
 */
export function externalFiles(file: string, header: OnnxHeader): string[] {
  const directory = dirname(resolve(file));
  return header.externalFiles.map((name) => {
    const path = resolve(directory, name);
    if (path.startsWith(directory + sep)) return path;
    throw new ModelError(
      'format',
      `${file} keeps weights in "${name}"; a file in the same folder is expected`,
    );
  });
}

/**
 * As {@link externalFiles}, all of them there.
 *
 * @throws ModelError `not-found` where one is missing.
 */
export function requireExternalFiles(file: string, header: OnnxHeader): string[] {
  const files = externalFiles(file, header);
  const missing = files.find((each) => !statSync(each, { throwIfNoEntry: false })?.isFile());
  if (missing === undefined) return files;
  throw new ModelError('not-found', `${file} keeps weights in ${missing}, which is not there`);
}

const PRECISIONS: readonly string[] = PREFERENCE.cpu;

/** The precision of a graph's weights: as its metadata say, else from operators and element counts. */
export function weightPrecision({ operators, weightElements, metadata }: OnnxHeader): Precision {
  if (PRECISIONS.includes(metadata.dtype)) return metadata.dtype as Precision;
  const { float16 = 0, float32 = 0 } = weightElements;
  const half = float16 > float32;
  if (operators.includes('MatMulBnb4')) return 'bnb4';
  if (operators.includes('MatMulNBits')) return half ? 'q4f16' : 'q4';
  if (operators.includes('MatMulInteger') || operators.includes('DynamicQuantizeLinear')) {
    return 'q8';
  }
  return half ? 'fp16' : 'fp32';
}
