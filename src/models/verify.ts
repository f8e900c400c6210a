import { join } from 'node:path';
import type { CatalogueEntry } from './entry.ts';
import { ModelError } from './errors.ts';
import { sha256OfFile } from './file_hash.ts';
import { type HashOrigin, type Manifest, readManifest } from './manifest.ts';
import { checkModel } from './model_check.ts';
import { installedModels, installedPath, type ModelStore, modelDirectory } from './store.ts';

interface FileVerdict {
  readonly path: string;
  readonly ok: boolean;
  /** For a person: what was found. */
  readonly detail: string;
  readonly sha256?: string;
  readonly hashOrigin?: HashOrigin;
}

export interface ModelVerdict {
  readonly id: string;
  readonly ok: boolean;
  readonly files: readonly FileVerdict[];
}

const TRUST: Readonly<Record<HashOrigin, string>> = {
  pinned: 'as pinned in the catalogue',
  announced: 'as its server announced, not pinned',
  recorded: 'as recorded on first download, not pinned',
};

/**
 * Hashes an installed model's files again and reads its graphs.
 *
 * @throws ModelError `not-installed` where there is nothing to verify.
 */
export async function verifyModel(
  store: ModelStore,
  entry: CatalogueEntry,
  signal?: AbortSignal,
): Promise<ModelVerdict> {
  const files = entry.embedded
    ? await Promise.all(entry.embedded.map((path) => verifyEmbedded(path, store, signal)))
    : await verifyInstalled(store, entry, signal);
  if (files.every(({ ok }) => ok)) files.push(verifyGraph(store, entry));
  return { id: entry.id, ok: files.every(({ ok }) => ok), files };
}

async function verifyInstalled(
  store: ModelStore,
  entry: CatalogueEntry,
  signal: AbortSignal | undefined,
): Promise<FileVerdict[]> {
  const manifest = readManifest(modelDirectory(store, entry.id));
  if (!manifest) {
    throw new ModelError(
      'not-installed',
      `${entry.id} is not installed; run \`bun run models pull ${entry.id}\``,
    );
  }
  const verdicts: FileVerdict[] = entry.files
    .filter(({ path }) => !manifest.files.some((file) => file.path === path))
    .map(({ path }) => ({ path, ok: false, detail: 'missing' }));
  for (const file of manifest.files) {
    verdicts.push(await verifyFile(store, entry, manifest, file, signal));
  }
  return verdicts;
}

async function verifyFile(
  store: ModelStore,
  entry: CatalogueEntry,
  manifest: Manifest,
  { path, sha256: recorded, hashOrigin }: Manifest['files'][number],
  signal: AbortSignal | undefined,
): Promise<FileVerdict> {
  const given = await hashOf(installedPath(store, manifest, path), signal);
  if (given === undefined) return { path, ok: false, detail: 'missing' };
  // The catalogue of today counts: a pin may have been added since the download.
  const pin = entry.files.find((file) => file.path === path)?.sha256;
  const expected = pin ?? recorded;
  if (given !== expected) {
    return { path, ok: false, detail: `SHA-256 ${given}, expected ${expected}`, sha256: given };
  }
  const origin = pin ? 'pinned' : hashOrigin === 'pinned' ? 'recorded' : hashOrigin;
  const trust = manifest.local ? 'as recorded when it was added' : TRUST[origin];
  return { path, ok: true, detail: `SHA-256 ${trust}`, sha256: given, hashOrigin: origin };
}

async function verifyEmbedded(
  path: string,
  store: ModelStore,
  signal: AbortSignal | undefined,
): Promise<FileVerdict> {
  const sha256 = await hashOf(join(store.repository, path), signal);
  if (sha256 === undefined) return { path, ok: false, detail: 'missing from the repository' };
  return { path, ok: true, detail: 'part of the repository', sha256 };
}

function verifyGraph(store: ModelStore, entry: CatalogueEntry): FileVerdict {
  const model = installedModels(store).find((one) => one.entry.id === entry.id);
  if (!model) return { path: 'graph', ok: false, detail: 'not complete' };
  try {
    return { path: 'graph', ok: true, detail: checkModel(entry, model) };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return { path: 'graph', ok: false, detail: error.message };
  }
}

async function hashOf(path: string, signal: AbortSignal | undefined): Promise<string | undefined> {
  try {
    return await sha256OfFile(path, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
