import { mkdir, stat } from 'node:fs/promises';
import { basename, relative } from 'node:path';
import type { CatalogueEntry } from './entry.ts';
import { ModelError } from './errors.ts';
import { sha256OfFile } from './file_hash.ts';
import { withLock } from './lock.ts';
import { type InstalledFile, type LocalModel, type Manifest, writeManifest } from './manifest.ts';
import { allEntries, lockPath, type ModelStore, modelDirectory } from './store.ts';

/** Files of the user's own, which stay where they are. */
export interface Registration {
  readonly id: string;
  readonly local: LocalModel;
  /** The paths in the manifest start from it. */
  readonly folder: string;
  /** Absolute paths, a graph first. */
  readonly files: readonly string[];
  readonly signal?: AbortSignal;
}

/**
 * Writes what was found of a user's own model into the store, with the hashes of its files.
 *
 * @throws ModelError `usage` for a name that is taken, `not-found` where a file is missing.
 */
export async function registerLocal(
  store: ModelStore,
  { id, local, folder, files: paths, signal }: Registration,
): Promise<CatalogueEntry> {
  const directory = modelDirectory(store, id);
  if (store.catalogue.some((entry) => entry.id === id)) {
    throw new ModelError('usage', `"${id}" is the id of a catalogue model; give another with --id`);
  }
  const files = await Promise.all(paths.map((path) => recordFile(folder, path, signal)));
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

/** `local-` and the name of the file or folder. */
export function localId(path: string): string {
  const stem = basename(path)
    .replace(/\.onnx$/i, '')
    .toLowerCase();
  const name = stem.replace(/[^a-z0-9.]+/g, '-').replace(/^[-.]+|[-.]+$/g, '');
  return `local-${name || 'model'}`;
}

async function recordFile(
  folder: string,
  file: string,
  signal: AbortSignal | undefined,
): Promise<InstalledFile> {
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) {
    throw new ModelError('not-found', `the model needs ${file}, which is not there`);
  }
  return {
    path: relative(folder, file),
    bytes: found.size,
    sha256: await sha256OfFile(file, { signal }),
    hashOrigin: 'recorded',
    source: file,
  };
}
