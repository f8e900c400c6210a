import { lstat, rm, unlink } from 'node:fs/promises';
import type { ModelEntry } from './entry.ts';
import { ModelError } from './errors.ts';
import { withLock } from './lock.ts';
import { lockPath, type ModelStore, modelDirectory } from './store.ts';

/**
 * Removes a model's folder from the store, parts of downloads included. A local model loses its
 * registration only: its file is the user's. A folder that is a link loses the link only.
 *
 * @returns false where there was nothing to remove
 * @throws ModelError `usage` for an embedded model, `locked` while it is being changed.
 */
export async function removeModel(store: ModelStore, entry: ModelEntry): Promise<boolean> {
  if (entry.embedded) {
    throw new ModelError('usage', `${entry.id} is part of the repository and cannot be removed`);
  }
  const directory = modelDirectory(store, entry.id);
  const found = await lstat(directory).catch(() => undefined);
  if (!found) return false;
  await withLock(lockPath(store, entry.id), `a change to ${entry.id}`, () =>
    found.isSymbolicLink() ? unlink(directory) : rm(directory, { recursive: true, force: true }),
  );
  return true;
}
