import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { MediaError } from './errors.ts';

/** Whether a path is a folder or lies in it. Both must be real paths. */
export function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** A file or folder that a caller may read. */
export interface AllowedPath {
  /** Without links. */
  readonly path: string;
  readonly isFolder: boolean;
  /** The root, without links. */
  readonly root: string;
}

/**
 * The file or folder that a caller names, absolute or from the root. Nothing is opened; names and
 * links that leave the root are refused alike, so that an answer says nothing about what lies
 * outside.
 *
 * @param root the configured folder; undefined where paths are not allowed at all
 * @throws {MediaError} 403 outside the root, or without one; 404 where nothing is; 422 for what is
 *   neither file nor folder
 */
export async function resolveVideoPath(
  root: string | undefined,
  given: string,
  field = 'video_path',
): Promise<AllowedPath> {
  if (root === undefined) {
    const what = `${field} is not enabled on this server`;
    throw new MediaError(
      403,
      `${what}; send the video itself, or start it with a video root.`,
      field,
    );
  }
  if (given === '' || given.includes('\0')) throw absent(field);
  const realRoot = await realpath(root);
  const wanted = resolve(realRoot, given);
  const isBelow = isInside(wanted, realRoot) || isInside(resolve(root, given), resolve(root));
  if (!isBelow) throw outside(field);
  const path = await realpath(wanted).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ENAMETOOLONG') {
      throw absent(field);
    }
    throw outside(field);
  });
  if (!isInside(path, realRoot)) throw outside(field);
  const found = await stat(path);
  if (!found.isFile() && !found.isDirectory()) {
    throw new MediaError(422, `${field} is neither a file nor a folder of frames.`, field);
  }
  return { path, isFolder: found.isDirectory(), root: realRoot };
}

function outside(field: string): MediaError {
  return new MediaError(403, `${field} is outside the folder that this server reads from.`, field);
}

function absent(field: string): MediaError {
  return new MediaError(404, `${field} names no file or folder.`, field);
}
