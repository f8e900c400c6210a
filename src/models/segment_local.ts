import { resolve } from 'node:path';
import type { CatalogueEntry } from './entry.ts';
import { ModelError } from './errors.ts';
import { localId, registerLocal } from './local_registration.ts';
import { inspectSegmentFolder, requireTokenizer } from './segment_set.ts';
import type { ModelStore } from './store.ts';

interface FolderTraits {
  /** The name to give it. @default `local-` and the folder's name */
  readonly id?: string;
  readonly signal?: AbortSignal;
}

/**
 * Registers a folder of a segmentation model's ONNX files. Where it has graphs of several precisions
 * all of them count: which are opened depends on the device.
 *
 * @throws ModelError `unknown-graph` unless it is one complete set, and those of
 *   {@link inspectSegmentFolder} and {@link registerLocal}.
 */
export async function addLocalFolder(
  store: ModelStore,
  path: string,
  { id, signal }: FolderTraits = {},
): Promise<CatalogueEntry> {
  const folder = resolve(path);
  const sets = inspectSegmentFolder(folder, 'cpu');
  if (sets.length > 1) {
    throw new ModelError(
      'unknown-graph',
      `${folder} holds ${sets.map(({ family }) => family).join(' and ')}; one model is expected, ` +
        'put each into a folder of its own',
    );
  }
  const [set] = sets;
  requireTokenizer(folder, set);
  const { family: contract, generation, answers, precision } = set;
  const others = inspectSegmentFolder(folder, 'webgpu').flatMap(({ files }) => files);
  return registerLocal(store, {
    id: id ?? localId(folder),
    local: {
      family: 'segment',
      path: folder,
      contract,
      generation,
      answers: [...answers],
      precision,
    },
    folder,
    files: [...new Set([...set.files, ...others])],
    signal,
  });
}
