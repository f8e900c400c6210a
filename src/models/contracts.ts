import { ModelError } from './errors.ts';

/** A graph input or output, as the file declares it. */
export interface GraphTensor {
  readonly name: string;
  /** onnxruntime's spelling: `float32`, `float16`, `int64`… */
  readonly dtype: string;
  /**
   * Outermost first. A string is a free size and its name, '' where it has none. Empty for a scalar
   * and where the file states no shape.
   */
  readonly dims: readonly (number | string)[];
}

export interface GraphIO {
  readonly inputs: readonly GraphTensor[];
  readonly outputs: readonly GraphTensor[];
}

/** `metric`: metres, larger is farther. `relative`: disparity without unit, larger is nearer. */
export type DepthKind = 'metric' | 'relative';

/** hypersim: indoor, up to 20 m. vkitti: outdoor, up to 80 m. */
export type DepthDataset = 'hypersim' | 'vkitti';

/**
 * How a depth graph is fed and read. All take RGB, /255, ImageNet mean and standard deviation, NCHW
 * float32, sides that are multiples of `sizeMultiple`.
 */
export interface DepthContract {
  readonly family: 'depth';
  /** Which published export the graph follows. */
  readonly id: 'transformers' | 'depth-anything-onnx' | 'triptych';
  /** Input [B,3,H,W] float32. */
  readonly input: string;
  /** Output [B,H,W] float32, of the kind `kind`. */
  readonly output: string;
  readonly kind: DepthKind;
  /** Metric only: metres that the graph's sigmoid output is scaled by. */
  readonly trainedMaxDepth?: number;
  /** A second output [B,H,W] float32 that answers relative requests. */
  readonly disparityOutput?: string;
  readonly sizeMultiple: number;
}

/**
 * What tells a metric graph from a relative one of the same names. The first that speaks decides:
 * `kind` and `maxDepth`, then the ONNX metadata `kind` and `max_depth`, then the file's name.
 */
export interface DepthHints {
  readonly kind?: DepthKind;
  readonly maxDepth?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Or a path; its folders say nothing. */
  readonly fileName?: string;
}

/** Largest depth, in metres, that the published metric models were trained to. */
export const DATASET_MAX_DEPTH: Readonly<Record<DepthDataset, number>> = {
  hypersim: 20,
  vkitti: 80,
};

interface NamePattern {
  readonly id: DepthContract['id'];
  readonly input: string;
  readonly output: string;
  readonly disparityOutput?: string;
  /** Kind and range where no hint speaks. */
  readonly kind: DepthKind;
  readonly maxDepth?: number;
  readonly source: string;
}

/** The most telling first: `triptych` has the names of `depth-anything-onnx` and one more. */
const PATTERNS: readonly NamePattern[] = [
  {
    id: 'triptych',
    input: 'image',
    output: 'depth',
    disparityOutput: 'disparity',
    kind: 'metric',
    maxDepth: DATASET_MAX_DEPTH.hypersim,
    source: 'the embedded depth-mini',
  },
  {
    id: 'depth-anything-onnx',
    input: 'image',
    output: 'depth',
    kind: 'relative',
    source: 'fabio-sim/Depth-Anything-ONNX',
  },
  {
    id: 'transformers',
    input: 'pixel_values',
    output: 'predicted_depth',
    kind: 'relative',
    source: 'onnx-community/depth-anything-v2-*, Hugging Face exports',
  },
];

/** The Vision Transformer's patch: H and W must be multiples of it. */
const PATCH = 14;

/**
 * Finds the contract that a graph follows from the names, types and shapes of its inputs and
 * outputs, so that a published ONNX file runs unmodified.
 *
 * @throws ModelError `unknown-graph` listing what was found and what is known.
 */
export function recogniseDepth(io: GraphIO, hints: DepthHints = {}): DepthContract {
  const pattern = PATTERNS.find((candidate) => fits(io, candidate));
  if (!pattern) throw unknownGraph(io);
  const kind = depthKind(hints) ?? pattern.kind;
  const contract = {
    family: 'depth',
    id: pattern.id,
    input: pattern.input,
    output: pattern.output,
    kind,
    sizeMultiple: PATCH,
    ...(pattern.disparityOutput && { disparityOutput: pattern.disparityOutput }),
  } as const;
  if (kind === 'relative') return contract;
  return { ...contract, trainedMaxDepth: trainedMaxDepth(hints, pattern) };
}

/** One axis of a graph's input: a fixed size, or free, with the name the graph gives it. */
export type Axis = { readonly size: number } | { readonly free: true; readonly name: string };

/** Which axes of a depth graph's input [B,3,H,W] are free. */
export interface DepthAxes {
  readonly batch: Axis;
  readonly height: Axis;
  readonly width: Axis;
}

/** The free and fixed axes of a graph that {@link recogniseDepth} accepted. */
export function depthAxes(io: GraphIO, contract: DepthContract): DepthAxes {
  const input = io.inputs.find((tensor) => tensor.name === contract.input);
  if (input?.dims.length !== 4) throw unknownGraph(io);
  const [batch, , height, width] = input.dims.map(axis);
  return { batch, height, width };
}

function axis(dim: number | string): Axis {
  return typeof dim === 'number' ? { size: dim } : { free: true, name: dim };
}

function fits(io: GraphIO, pattern: NamePattern): boolean {
  const [input, ...others] = io.inputs;
  if (others.length > 0 || input?.name !== pattern.input || input.dtype !== 'float32') return false;
  if (input.dims.length !== 4 || !(input.dims[1] === 3 || typeof input.dims[1] === 'string')) {
    return false;
  }
  const wanted = [pattern.output, pattern.disparityOutput].filter((name) => name !== undefined);
  return wanted.every((name) => io.outputs.some((output) => output.name === name && isMap(output)));
}

/** [B,H,W], the same memory as [B,1,H,W], or a shape that the file leaves unsaid. */
function isMap({ dtype, dims }: GraphTensor): boolean {
  if (dtype !== 'float32') return false;
  return dims.length === 0 || dims.length === 3 || (dims.length === 4 && dims[1] === 1);
}

function depthKind(hints: DepthHints): DepthKind | undefined {
  if (hints.kind) return hints.kind;
  const stated = hints.metadata?.kind;
  if (stated === 'metric' || stated === 'relative') return stated;
  return datasetOfFileName(hints.fileName) ? 'metric' : undefined;
}

/** `…_indoor…` and `…_outdoor…`, or the dataset's own name, as the published files are called. */
function datasetOfFileName(path = ''): DepthDataset | undefined {
  const fileName = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
  if (/(^|[_-])(indoor|hypersim)([_.-]|$)/i.test(fileName)) return 'hypersim';
  if (/(^|[_-])(outdoor|vkitti)([_.-]|$)/i.test(fileName)) return 'vkitti';
  return undefined;
}

function trainedMaxDepth(hints: DepthHints, pattern: NamePattern): number {
  const dataset = datasetOfFileName(hints.fileName);
  const stated = hints.metadata?.max_depth;
  const metres =
    hints.maxDepth ??
    (stated === undefined ? undefined : Number(stated)) ??
    (dataset && DATASET_MAX_DEPTH[dataset]) ??
    pattern.maxDepth;
  if (metres !== undefined && Number.isFinite(metres) && metres > 0) return metres;
  throw new ModelError(
    'unknown-graph',
    `the metric graph's trained maximum depth is ${stated ?? metres ?? 'unknown'}; a number of ` +
      'metres above 0 is expected: give it with --max-depth (20 for hypersim, 80 for vkitti)',
  );
}

function unknownGraph(io: GraphIO): ModelError {
  const known = PATTERNS.map((pattern) => {
    const outputs = [pattern.output, pattern.disparityOutput].filter(Boolean);
    return `  ${pattern.input} float32 [B,3,H,W] → ${outputs.join(', ')} float32 [B,H,W] (${pattern.source})`;
  });
  return new ModelError(
    'unknown-graph',
    `this graph is no known depth model. It has ${listTensors(io.inputs)} → ${listTensors(io.outputs)}; ` +
      `expected one of\n${known.join('\n')}`,
  );
}

/** Tensors for a message, at most eight. */
export function listTensors(tensors: readonly GraphTensor[]): string {
  const shown = tensors.slice(0, 8).map(({ name, dtype, dims }) => {
    return `${name} ${dtype} [${dims.map((dim) => (dim === '' ? '?' : dim)).join(',')}]`;
  });
  if (tensors.length > shown.length) shown.push(`… ${tensors.length - shown.length} more`);
  return shown.join(', ') || 'nothing';
}
