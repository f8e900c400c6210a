import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { requireSpace } from './disk_space.ts';
import type { CatalogueEntry, ModelFile } from './entry.ts';
import { ModelError } from './errors.ts';
import { sha256OfFile } from './file_hash.ts';
import { importFile } from './folder_import.ts';
import { requireLicence } from './licence.ts';
import { withLock } from './lock.ts';
import { type InstalledFile, removeManifest, tryReadManifest, writeManifest } from './manifest.ts';
import { checkModel } from './model_check.ts';
import { fileUrl, type RemoteSettings, remoteSettings, shown } from './remote.ts';
import { DEFAULT_RETRY, type RetryPolicy } from './retry.ts';
import { lockPath, type ModelStore, modelDirectory, modelFilePath, modelState } from './store.ts';
import { type Transferred, transferFile } from './transfer.ts';

export interface PullOptions {
  /** Needed for non-commercial and gated models. */
  readonly acceptLicence?: boolean;
  /** Import from a folder of files instead of the network. */
  readonly from?: string;
  /** With `from`: hard-link instead of copying. */
  readonly link?: boolean;
  /** Fetch again what is installed. */
  readonly force?: boolean;
  readonly settings?: RemoteSettings;
  readonly signal?: AbortSignal;
  readonly events?: PullEvents;
  readonly retry?: Partial<RetryPolicy>;
  readonly idleTimeoutMs?: number;
  /** Bytes free in a folder; the file system's answer unless a test says otherwise. */
  readonly freeBytes?: (directory: string) => Promise<number>;
}

export interface PullEvents {
  readonly onFile?: (file: ModelFile, source: string) => void;
  readonly onProgress?: (file: ModelFile, received: number, total: number | undefined) => void;
  readonly onRetry?: (reason: string, delayMs: number) => void;
}

export interface PullResult {
  readonly id: string;
  readonly outcome: 'installed' | 'already-installed' | 'embedded';
  readonly files: readonly InstalledFile[];
}

const IDLE_TIMEOUT_MS = 60_000;

/**
 * Installs a model: from its host, a mirror or a folder, checked by hash and by its graphs.
 *
 * @throws ModelError `licence`, `locked`, `offline`, `disk-full`, and those of
 *   {@link transferFile}, {@link importFile} and {@link checkModel}.
 */
export async function pull(
  entry: CatalogueEntry,
  store: ModelStore,
  options: PullOptions = {},
): Promise<PullResult> {
  if (entry.embedded !== undefined) return { id: entry.id, outcome: 'embedded', files: [] };
  const { state } = modelState(store, entry);
  if (state === 'installed' && !options.force) {
    return { id: entry.id, outcome: 'already-installed', files: [] };
  }
  requireLicence(entry, options.acceptLicence ?? false);
  const settings = options.settings ?? remoteSettings();
  if (settings.offline && options.from === undefined) {
    throw new ModelError(
      'offline',
      `${entry.id} is not installed and the network is not to be used; import it from a folder ` +
        'with --from, or pull it without --offline and HF_HUB_OFFLINE',
    );
  }
  await mkdir(modelDirectory(store, entry.id), { recursive: true });
  return withLock(lockPath(store, entry.id), `a change to ${entry.id}`, async () => ({
    id: entry.id,
    outcome: 'installed',
    files: await installFiles({ entry, store, settings, options }),
  }));
}

interface Job {
  readonly entry: CatalogueEntry;
  readonly store: ModelStore;
  readonly settings: RemoteSettings;
  readonly options: PullOptions;
}

/** The manifest grows with every file, so that a later run need not fetch the first ones again. */
async function installFiles(job: Job): Promise<InstalledFile[]> {
  const { entry, store, options } = job;
  const directory = modelDirectory(store, entry.id);
  const before = options.force ? undefined : tryReadManifest(directory);
  await requireSpace(store.root, await missingBytes(job), options.freeBytes);
  const files: InstalledFile[] = [];
  for (const file of entry.files) {
    const record = before?.files.find(({ path }) => path === file.path);
    files.push((await keptFile(job, file, record)) ?? (await obtainFile(job, file)));
    const installedAt = new Date().toISOString();
    await writeManifest(directory, { version: 1, id: entry.id, installedAt, files });
  }
  try {
    const paths = files.map(({ path }) => modelFilePath(store, entry.id, path));
    checkModel(entry, { folder: directory, files: paths });
  } catch (error) {
    await removeManifest(directory);
    for (const { path } of files) await rm(modelFilePath(store, entry.id, path), { force: true });
    throw error;
  }
  return files;
}

/** What an earlier run installed, if its bytes are still those and still the ones wanted. */
async function keptFile(
  { entry, store, options: { signal } }: Job,
  file: ModelFile,
  record: InstalledFile | undefined,
): Promise<InstalledFile | undefined> {
  if (!record || (file.sha256 && file.sha256 !== record.sha256)) return undefined;
  const path = modelFilePath(store, entry.id, file.path);
  const given = await sha256OfFile(path, { signal }).catch(() => undefined);
  signal?.throwIfAborted();
  return given === record.sha256 ? record : undefined;
}

async function obtainFile(job: Job, file: ModelFile): Promise<InstalledFile> {
  const { entry, store, settings, options } = job;
  const target = modelFilePath(store, entry.id, file.path);
  await mkdir(dirname(target), { recursive: true });
  if (options.from !== undefined) {
    options.events?.onFile?.(file, options.from);
    const done = await importFile(entry, file, target, { ...options, from: options.from });
    return { path: file.path, ...done, source: options.from };
  }
  const url = fileUrl(entry, file, settings);
  options.events?.onFile?.(file, shown(url));
  const done = await fetchFile(job, file, target, url);
  return { path: file.path, ...done, source: shown(url) };
}

function fetchFile(job: Job, file: ModelFile, target: string, url: URL): Promise<Transferred> {
  const { store, settings, options } = job;
  const { events } = options;
  return transferFile({
    url,
    target,
    file,
    settings,
    checkRoom: (bytes) => requireSpace(store.root, bytes, options.freeBytes),
    retry: { ...DEFAULT_RETRY, ...options.retry },
    idleTimeoutMs: options.idleTimeoutMs ?? IDLE_TIMEOUT_MS,
    signal: options.signal,
    onProgress: (received, total) => events?.onProgress?.(file, received, total),
    onRetry: events?.onRetry,
  });
}

/** What is still to be written, as far as sizes are known. */
async function missingBytes({ entry, store, options }: Job): Promise<number> {
  const size = (path: string) =>
    stat(path).then(
      (found) => found.size,
      () => 0,
    );
  let bytes = 0;
  let received = 0;
  for (const { path, ...file } of entry.files) {
    const target = modelFilePath(store, entry.id, path);
    const here = (await size(`${target}.part`)) || (options.force ? 0 : await size(target));
    received += here;
    bytes += Math.max(0, (file.bytes ?? file.approximateBytes ?? 0) - here);
  }
  return Math.max(bytes, (entry.approximateBytes ?? 0) - received);
}
