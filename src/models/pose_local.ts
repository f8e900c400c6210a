import { resolve } from 'node:path';
import type { CatalogueEntry } from './entry.ts';
import { localId, registerLocal } from './local_registration.ts';
import { inspectPoseFolder } from './pose_set.ts';
import type { ModelStore } from './store.ts';

interface FolderTraits {
  /** The name to give it. @default `local-` and the folder's name */
  readonly id?: string;
  readonly signal?: AbortSignal;
}

/**
 * Registers a folder of a refiner's and a scorer's ONNX file.
 *
 * @throws ModelError those of {@link inspectPoseFolder} and {@link registerLocal}.
 */
export async function addLocalPose(
  store: ModelStore,
  path: string,
  { id, signal }: FolderTraits = {},
): Promise<CatalogueEntry> {
  const folder = resolve(path);
  const { contract, precision, files } = inspectPoseFolder(folder, 'cpu');
  const others = inspectPoseFolder(folder, 'webgpu').files;
  return registerLocal(store, {
    id: id ?? localId(folder),
    local: { family: 'pose', path: folder, contract, precision },
    folder,
    files: [...new Set([...files, ...others])],
    signal,
  });
}
