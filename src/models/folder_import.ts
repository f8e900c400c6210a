import { constants, copyFile, link, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ModelEntry, ModelFile } from './entry.ts';
import { ModelError } from './errors.ts';
import { sha256OfFile } from './file_hash.ts';
import type { Transferred } from './transfer.ts';

export interface ImportOptions {
  /** A folder of files that were fetched elsewhere. */
  readonly from: string;
  /** Share the bytes with the original where both are on one disk, instead of copying them. */
  readonly link?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Takes one file of a model from a folder, in any of the places where it may lie: the store's own
 * layout (`<id>/<path>`), the host's (`<owner>/<repository>/…`), or loose. Files of the wrong size
 * or hash are passed over, since different models have files of one name.
 *
 * @throws ModelError `not-found` listing the places, `checksum` where only wrong files are there.
 */
export async function importFile(
  entry: ModelEntry,
  file: ModelFile,
  target: string,
  options: ImportOptions,
): Promise<Transferred> {
  const places = placesOf(entry, file, options.from);
  const problems: string[] = [];
  for (const place of places) {
    const found = await stat(place).catch(() => undefined);
    if (!found?.isFile()) continue;
    const taken = await takeFile(place, found.size, file, target, options);
    if (typeof taken !== 'string') return taken;
    problems.push(taken);
  }
  if (problems.length > 0) throw new ModelError('checksum', problems.join('\n'));
  throw new ModelError(
    'not-found',
    `${options.from} has no ${file.path} for ${entry.id}; it is expected at\n  ${places.join('\n  ')}`,
  );
}

function placesOf(entry: ModelEntry, file: ModelFile, from: string): string[] {
  const { pathname } = new URL(file.url);
  const published = pathname.slice(1).replace(/\/resolve\/[^/]+\//, '/');
  const candidates = [
    join(from, entry.id, file.path),
    join(from, published),
    join(from, file.path),
    join(from, basename(pathname)),
  ];
  return [...new Set(candidates)];
}

/** The transferred file, or why it is not the one wanted. */
async function takeFile(
  place: string,
  bytes: number,
  file: ModelFile,
  target: string,
  { link: share = false, signal }: ImportOptions,
): Promise<Transferred | string> {
  const misfit = sizeMisfit(bytes, file);
  if (misfit) return `${place} has ${bytes} bytes, expected ${misfit}`;
  // A name of its own: a download of the same file that was interrupted keeps its part.
  const draft = `${target}.import`;
  await rm(draft, { force: true });
  try {
    await (share ? shareFile(place, draft) : copyFile(place, draft, constants.COPYFILE_FICLONE));
    const sha256 = await sha256OfFile(draft, { signal });
    if (file.sha256 && sha256 !== file.sha256) {
      return `${place} has SHA-256 ${sha256}, expected ${file.sha256}`;
    }
    await rename(draft, target);
    return { bytes, sha256, hashOrigin: file.sha256 ? 'pinned' : 'recorded' };
  } finally {
    await rm(draft, { force: true });
  }
}

async function shareFile(place: string, draft: string): Promise<void> {
  try {
    await link(place, draft);
  } catch {
    // Another disk, or a file system without links: a copy serves as well.
    await copyFile(place, draft);
  }
}

/** Published sizes are rounded to the megabyte, so a known one is believed to 5 %. */
function sizeMisfit(bytes: number, file: ModelFile): string | undefined {
  if (file.bytes !== undefined) return bytes === file.bytes ? undefined : `${file.bytes}`;
  const about = file.approximateBytes;
  if (about === undefined || Math.abs(bytes - about) <= about * 0.05) return undefined;
  return `about ${about}`;
}
