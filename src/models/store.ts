import { readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheDirectory } from '../cache.ts';
import { CATALOGUE } from './catalogue.ts';
import type { CatalogueEntry, ModelEntry } from './entry.ts';
import { ModelError } from './errors.ts';
import { type LocalModel, type Manifest, readManifest } from './manifest.ts';

/** Where models live. A plain value: nothing is opened, nothing needs closing. */
export interface ModelStore {
  /** Holds one folder per model. */
  readonly root: string;
  /** The root of the repository, which embedded models' paths start from. */
  readonly repository: string;
  readonly catalogue: readonly CatalogueEntry[];
}

/** A model that can be opened now. */
export interface InstalledModel<Entry extends ModelEntry = CatalogueEntry> {
  readonly entry: Entry;
  readonly origin: 'catalogue' | 'embedded' | 'local';
  /** Absolute paths, a graph first. */
  readonly files: readonly [string, ...string[]];
  /** Holds the graphs: the one that was registered, or the model's in the store or repository. */
  readonly folder: string;
}

export type ModelState =
  | { readonly state: 'installed' | 'embedded' | 'local'; readonly bytes: number }
  /** `received` bytes of a download that can be resumed. */
  | { readonly state: 'partial'; readonly received: number }
  /** Installed once, but a file is missing or has another size. */
  | { readonly state: 'damaged'; readonly problem: string }
  | { readonly state: 'absent' };

/** The store of this process: `TRIPTYCH_HOME`, `XDG_CACHE_HOME` or `~/.cache` decide where. */
export function openStore(options: Partial<ModelStore> = {}): ModelStore {
  return {
    root: resolve(options.root ?? join(cacheDirectory(), 'models')),
    repository: options.repository ?? fileURLToPath(new URL('../..', import.meta.url)),
    catalogue: options.catalogue ?? CATALOGUE,
  };
}

/**
 * The folder of a model, always a direct child of the store's root.
 *
 * @throws ModelError `usage` for an id that could name anything else.
 */
export function modelDirectory(store: ModelStore, id: string): string {
  const directory = resolve(store.root, id);
  if (!/^[a-z0-9][a-z0-9.-]*$/.test(id) || dirname(directory) !== resolve(store.root)) {
    throw new ModelError(
      'usage',
      `"${id}" is not a model id; lower-case letters, digits, dots and hyphens are expected`,
    );
  }
  return directory;
}

/**
 * The place of one file in a model's folder.
 *
 * @throws ModelError `usage` for a path that leaves the folder.
 */
export function modelFilePath(store: ModelStore, id: string, path: string): string {
  const directory = modelDirectory(store, id);
  const file = resolve(directory, path);
  if (file.startsWith(directory + sep)) return file;
  throw new ModelError('usage', `"${path}" of ${id} is not a path inside the model's folder`);
}

/** The lock that whoever changes a model holds; beside its folder, which may be removed. */
export function lockPath(store: ModelStore, id: string): string {
  modelDirectory(store, id);
  return join(store.root, `.${id}.lock`);
}

/** Everything that can answer a request now, embedded models last. */
export function installedModels(store: ModelStore): InstalledModel[] {
  const found = modelFolders(store).map((id) => folderModel(store, id));
  const embedded = store.catalogue
    .filter((entry) => entry.embedded !== undefined)
    .map((entry) => embeddedModel(store, entry));
  return [...found, ...embedded].filter((model) => model !== undefined);
}

/** Catalogue entries and registered local files, installed or not. */
export function allEntries(store: ModelStore): CatalogueEntry[] {
  const known = new Set(store.catalogue.map(({ id }) => id));
  const local = modelFolders(store)
    .filter((id) => !known.has(id))
    .map((id) => localEntry(manifestOf(store, id)))
    .filter((entry) => entry !== undefined);
  return [...store.catalogue, ...local];
}

/** How an entry stands, from sizes alone; `verifyModel` hashes. */
export function modelState(store: ModelStore, entry: ModelEntry): ModelState {
  if (entry.embedded === undefined) {
    return installedState(store, entry, manifestOf(store, entry.id));
  }
  let bytes = 0;
  for (const path of entry.embedded) {
    const size = fileBytes(join(store.repository, path));
    if (size === undefined) {
      return { state: 'damaged', problem: `${path} is missing from the repository` };
    }
    bytes += size;
  }
  return { state: 'embedded', bytes };
}

/** Where a manifest's file is: local ones stay where the user has them. */
export function installedPath(store: ModelStore, manifest: Manifest, path: string): string {
  if (manifest.local) return resolve(localFolder(manifest.local), path);
  return modelFilePath(store, manifest.id, path);
}

function installedState(
  store: ModelStore,
  entry: ModelEntry,
  manifest: Manifest | ModelError | undefined,
): ModelState {
  if (manifest instanceof ModelError) return { state: 'damaged', problem: manifest.message };
  if (!manifest) return partialState(store, entry);
  let total = 0;
  for (const file of manifest.files) {
    const bytes = fileBytes(installedPath(store, manifest, file.path));
    if (bytes !== file.bytes) {
      const problem = bytes === undefined ? 'is missing' : `has ${bytes} bytes, not ${file.bytes}`;
      return { state: 'damaged', problem: `${file.path} ${problem}` };
    }
    total += bytes;
  }
  const whole = entry.files.every(({ path }) => manifest.files.some((file) => file.path === path));
  if (!whole) return partialState(store, entry);
  return { state: manifest.local ? 'local' : 'installed', bytes: total };
}

function folderModel(store: ModelStore, id: string): InstalledModel | undefined {
  const manifest = manifestOf(store, id);
  if (!manifest || manifest instanceof ModelError) return undefined;
  const entry = store.catalogue.find((known) => known.id === id) ?? localEntry(manifest);
  if (!entry) return undefined;
  switch (installedState(store, entry, manifest).state) {
    case 'installed': {
      const files = entry.files.map(({ path }) => modelFilePath(store, id, path));
      return installed(entry, 'catalogue', modelDirectory(store, id), files);
    }
    case 'local': {
      const files = manifest.files.map(({ path }) => installedPath(store, manifest, path));
      return manifest.local && installed(entry, 'local', localFolder(manifest.local), files);
    }
    default:
      return undefined;
  }
}

function embeddedModel(store: ModelStore, entry: CatalogueEntry): InstalledModel | undefined {
  if (modelState(store, entry).state !== 'embedded') return undefined;
  const files = (entry.embedded ?? []).map((path) => join(store.repository, path));
  return installed(entry, 'embedded', dirname(files[0]), files);
}

function installed(
  entry: CatalogueEntry,
  origin: InstalledModel['origin'],
  folder: string,
  [graph, ...others]: readonly string[],
): InstalledModel | undefined {
  return graph === undefined ? undefined : { entry, origin, folder, files: [graph, ...others] };
}

function localEntry(manifest: Manifest | ModelError | undefined): CatalogueEntry | undefined {
  if (!manifest || manifest instanceof ModelError || !manifest.local) return undefined;
  const { local, id } = manifest;
  const shared = {
    id,
    files: [],
    licence: { spdx: 'unknown', nonCommercial: false, gated: false, url: '' },
  };
  if (local.family === 'segment') {
    const { path, ...traits } = local;
    const title = `Local folder, ${traits.answers.join(' and ')}`;
    return { ...shared, ...traits, title, notes: `${path}, ${traits.contract} graphs` };
  }
  if (local.family === 'pose') {
    const { path, ...traits } = local;
    const title = 'Local folder, pose';
    return { ...shared, ...traits, title, notes: `${path}, ${traits.contract} graphs` };
  }
  const { path, contract, ...traits } = local;
  const title = `Local file, ${traits.kind}`;
  return { ...shared, ...traits, family: 'depth', title, notes: `${path}, ${contract} graph` };
}

/** A depth model is registered by its graph, any other by the folder of its graphs. */
function localFolder({ family, path }: LocalModel): string {
  return family === 'segment' || family === 'pose' ? path : dirname(path);
}

function modelFolders(store: ModelStore): string[] {
  try {
    return readdirSync(store.root).filter((name) => /^[a-z0-9]/.test(name));
  } catch {
    return [];
  }
}

function manifestOf(store: ModelStore, id: string): Manifest | ModelError | undefined {
  try {
    const manifest = readManifest(modelDirectory(store, id));
    if (!manifest || manifest.id === id) return manifest;
    return new ModelError(
      'format',
      `the folder ${id} holds ${manifest.id}; give it its name back, or remove it and pull again`,
    );
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
}

function partialState(store: ModelStore, entry: ModelEntry): ModelState {
  let received = 0;
  for (const { path } of entry.files) {
    const file = modelFilePath(store, entry.id, path);
    received += fileBytes(file) ?? fileBytes(`${file}.part`) ?? 0;
  }
  return received > 0 ? { state: 'partial', received } : { state: 'absent' };
}

function fileBytes(path: string): number | undefined {
  try {
    const stat = statSync(path);
    return stat.isFile() ? stat.size : undefined;
  } catch {
    return undefined;
  }
}
