import type { DepthDataset, DepthKind } from './contracts.ts';
import type { PoseContract } from './pose_contracts.ts';
import type { SegmentFamily, SegmentNeed } from './segment_contracts.ts';

/** One file of a model. */
export interface ModelFile {
  readonly url: string;
  /** Where it is kept inside the model's folder; names that a graph refers to stay as published. */
  readonly path: string;
  readonly bytes?: number;
  /** Lower-case hex. Absent where no public record of it is known. */
  readonly sha256?: string;
  /** For the free-disk check and the listing where `bytes` is not known exactly. */
  readonly approximateBytes?: number;
}

export interface Licence {
  readonly spdx: string;
  readonly nonCommercial: boolean;
  /** True when the host asks for a login and an agreement first. */
  readonly gated: boolean;
  /** True when it forbids some uses, or must be handed on with the files. @default false */
  readonly conditions?: boolean;
  readonly url: string;
}

export const APACHE: Licence = {
  spdx: 'Apache-2.0',
  nonCommercial: false,
  gated: false,
  url: 'https://www.apache.org/licenses/LICENSE-2.0',
};

export type Precision = 'fp32' | 'fp16' | 'q8' | 'q4' | 'q4f16' | 'bnb4';

/**
 * Which precision runs best. WebGPU: half the memory traffic first, 4-bit weights last for their
 * error, and what has operators that it lacks after all. CPU: onnxruntime computes in fp32, so
 * anything else costs a conversion.
 */
export const PREFERENCE: Readonly<Record<'webgpu' | 'cpu', readonly Precision[]>> = {
  webgpu: ['fp16', 'fp32', 'q4f16', 'q4', 'q8', 'bnb4'],
  cpu: ['fp32', 'fp16', 'q8', 'q4', 'q4f16', 'bnb4'],
};

/** What every entry has, whatever its family; most of `models …` works from this alone. */
export interface ModelEntry {
  /** Lower-case letters, digits, dots and hyphens. */
  readonly id: string;
  readonly family: string;
  readonly title: string;
  readonly precision: Precision;
  /** The graphs, then what belongs to them. Empty for registered local files. */
  readonly files: readonly ModelFile[];
  /** Of all files, where only their sum is known. */
  readonly approximateBytes?: number;
  readonly licence: Licence;
  readonly notes: string;
  /** Set for models that are part of the repository: their files' paths from its root. */
  readonly embedded?: readonly string[];
}

export type DepthEncoder = 'vits' | 'vitb' | 'vitl' | 'mini';

/** A depth model: one graph. What a registered local file leaves unsaid answers any request. */
export interface DepthEntry extends ModelEntry {
  readonly family: 'depth';
  readonly encoder?: DepthEncoder;
  /** The training set of a metric model; relative models have none. */
  readonly dataset?: DepthDataset;
  readonly kind: DepthKind;
  /** Metres, of a metric model. */
  readonly maxDepth?: number;
  /** Metric models that answer relative requests too, through a second output. */
  readonly alsoRelative?: boolean;
}

/** The better one first. */
export const GENERATIONS = ['sam3', 'sam2.1', 'edgetam', 'mini'] as const;
export type SegmentGeneration = (typeof GENERATIONS)[number];

/** A segmentation model: several graphs that belong together, and what they need beside them. */
export interface SegmentEntry extends ModelEntry {
  readonly family: 'segment';
  readonly contract: SegmentFamily;
  readonly generation: SegmentGeneration;
  readonly answers: readonly SegmentNeed[];
}

/** A pose model: a graph that refines poses, and one that scores a set of them. */
export interface PoseEntry extends ModelEntry {
  readonly family: 'pose';
  readonly contract: PoseContract;
}

export type CatalogueEntry = DepthEntry | SegmentEntry | PoseEntry;
