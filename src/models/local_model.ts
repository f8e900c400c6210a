import { mkdir, stat } from 'node:fs/promises';
import { basename, dirname, relative, resolve } from 'node:path';
import type { DepthEncoder, DepthEntry, Precision } from './catalogue.ts';
import {
  DATASET_MAX_DEPTH,
  type DepthDataset,
  type DepthKind,
  recogniseDepth,
} from './contracts.ts';
import { ModelError } from './errors.ts';
import { sha256OfFile } from './file_hash.ts';
import { externalFiles, weightPrecision } from './graph_check.ts';
import { withLock } from './lock.ts';
import { type InstalledFile, type LocalModel, type Manifest, writeManifest } from './manifest.ts';
import { type OnnxHeader, readOnnxHeader } from './onnx_header.ts';
import { allEntries, lockPath, type ModelStore, modelDirectory } from './store.ts';

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
 * Registers a file of the user's own, which stays where it is, with the contract its graph follows.
 *
 * @throws ModelError `not-found`, `format`, `unknown-graph`, and `usage` for a name that is taken.
 */
export async function addLocalModel(
  store: ModelStore,
  path: string,
  traits: LocalTraits = {},
): Promise<DepthEntry> {
  const file = resolve(path);
  const header = readOnnxHeader(file);
  const local = describe(file, header, traits);
  const id = traits.id ?? localId(file);
  const directory = modelDirectory(store, id);
  if (store.catalogue.some((entry) => entry.id === id)) {
    throw new ModelError('usage', `"${id}" is the id of a catalogue model; give another with --id`);
  }
  const files = await Promise.all(
    [file, ...externalFiles(file, header)].map((each) => recordFile(file, each, traits.signal)),
  );
  const installedAt = new Date().toISOString();
  const manifest: Manifest = { version: 1, id, installedAt, files, local };
  await mkdir(directory, { recursive: true });
  await withLock(lockPath(store, id), `a change to ${id}`, () =>
    writeManifest(directory, manifest),
  );
  const entry = allEntries(store).find((candidate) => candidate.id === id);
  if (entry) return entry;
  throw new ModelError('not-found', `${directory} vanished while ${id} was being registered`);
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
  const precision: Precision = weightPrecision(header);
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

function localId(file: string): string {
  const stem = basename(file)
    .replace(/\.onnx$/i, '')
    .toLowerCase();
  const name = stem.replace(/[^a-z0-9.]+/g, '-').replace(/^[-.]+|[-.]+$/g, '');
  return `local-${name || 'model'}`;
}

async function recordFile(
  graph: string,
  file: string,
  signal: AbortSignal | undefined,
): Promise<InstalledFile> {
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) {
    throw new ModelError('not-found', `${graph} keeps weights in ${file}, which is not there`);
  }
  return {
    path: relative(dirname(graph), file),
    bytes: found.size,
    sha256: await sha256OfFile(file, { signal }),
    hashOrigin: 'recorded',
    source: file,
  };
}
