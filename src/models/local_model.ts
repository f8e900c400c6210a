import { basename, dirname, resolve } from 'node:path';
import {
  DATASET_MAX_DEPTH,
  type DepthDataset,
  type DepthKind,
  recogniseDepth,
} from './contracts.ts';
import type { DepthEncoder, DepthEntry } from './entry.ts';
import { ModelError } from './errors.ts';
import { externalFiles, weightPrecision } from './graph_check.ts';
import { localId, registerLocal } from './local_registration.ts';
import type { LocalModel } from './manifest.ts';
import { type OnnxHeader, readOnnxHeader } from './onnx_header.ts';
import { recognisePose } from './pose_contracts.ts';
import { recognisePart } from './segment_parts.ts';
import type { ModelStore } from './store.ts';

/** What the user knows of a file; what is left out is read from the graph and the file's name. */
export interface LocalTraits {
  /** The name to give it. @default `local-` and the file's name */
  readonly id?: string;
  readonly encoder?: Exclude<DepthEncoder, 'mini'>;
  readonly dataset?: DepthDataset;
  readonly kind?: DepthKind;
  /** Metres. @default the data set's */
  readonly maxDepth?: number;
  readonly signal?: AbortSignal;
}

/**
 * Registers a depth graph of the user's own, which stays where it is, with the contract it follows.
 *
 * @throws ModelError `format`, `unknown-graph`, and those of {@link registerLocal}.
 */
export async function addLocalModel(
  store: ModelStore,
  path: string,
  traits: LocalTraits = {},
): Promise<DepthEntry> {
  const file = resolve(path);
  const header = readOnnxHeader(file);
  requireWhole(file, header);
  const local = describe(file, header, traits);
  const entry = await registerLocal(store, {
    id: traits.id ?? localId(file),
    local,
    folder: dirname(file),
    files: [file, ...externalFiles(file, header)],
    signal: traits.signal,
  });
  if (entry.family === 'depth') return entry;
  throw new ModelError('locked', `${entry.id} was registered anew by somebody else meanwhile`);
}

/** @throws ModelError `unknown-graph` for one graph of a model that has several. */
function requireWhole(file: string, header: OnnxHeader): void {
  if (recognisePose(header)) {
    throw new ModelError(
      'unknown-graph',
      `${file} is one graph of the two of a pose model; add their folder, ${dirname(file)}`,
    );
  }
  const part = recognisePart(header);
  if (!part) return;
  throw new ModelError(
    'unknown-graph',
    `${file} is one graph of several of a segmentation model (${part.family} ${part.part}); ` +
      `add their folder, ${dirname(file)}`,
  );
}

function describe(
  file: string,
  header: OnnxHeader,
  { kind, dataset, maxDepth, encoder }: LocalTraits,
): LocalModel {
  const contract = recogniseDepth(header, {
    kind: kind ?? (dataset && 'metric'),
    maxDepth: maxDepth ?? (dataset && DATASET_MAX_DEPTH[dataset]),
    metadata: header.metadata,
    fileName: basename(file),
  });
  const precision = weightPrecision(header);
  const stated = encoder ?? encoderOfFileName(basename(file));
  const trainedOn = dataset ?? datasetOfDepth(contract.trainedMaxDepth);
  return {
    path: file,
    kind: contract.kind,
    precision,
    contract: contract.id,
    alsoRelative: contract.disparityOutput !== undefined,
    ...(stated && { encoder: stated }),
    ...(contract.kind === 'metric' && {
      maxDepth: contract.trainedMaxDepth,
      ...(trainedOn && { dataset: trainedOn }),
    }),
  };
}

/** The published files carry their encoder in their name. */
function encoderOfFileName(name: string): 'vits' | 'vitb' | 'vitl' | undefined {
  const match = /(?:^|[_-])(vits|vitb|vitl)(?:[_.-]|$)/i.exec(name);
  return match?.[1].toLowerCase() as 'vits' | 'vitb' | 'vitl' | undefined;
}

function datasetOfDepth(metres: number | undefined): DepthDataset | undefined {
  if (metres === DATASET_MAX_DEPTH.hypersim) return 'hypersim';
  return metres === DATASET_MAX_DEPTH.vkitti ? 'vkitti' : undefined;
}
