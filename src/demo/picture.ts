import { readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeImage } from '../media/image.ts';
import { type Camera, type CameraFlags, cameraFromFlags, type Intrinsics } from './camera.ts';
import { DemoError } from './errors.ts';

/** A picture to send, checked to be one. */
export interface Picture {
  readonly path: string;
  /** What its results' names begin with: its own without the extension, unique in the run. */
  readonly stem: string;
  readonly file: Blob;
  readonly width: number;
  readonly height: number;
  readonly camera: Camera;
}

/** Bounds on a picture, as the server has them. */
export interface PictureLimits {
  readonly maxBytes: number;
  readonly maxPixels: number;
}

const DEMO_PICTURE = new URL('../../models/embedded/demo.jpg', import.meta.url);
const DEMO_CAMERA = new URL('../../models/embedded/demo.json', import.meta.url);

/**
 * The project's own picture, whose camera is known, then those at `paths`, whose camera the flags
 * describe or is assumed.
 *
 * @throws DemoError for a path that cannot be read
 * @throws MediaError for a file that is not a picture or too large
 */
export async function readPictures(
  paths: readonly string[],
  flags: CameraFlags,
  limits: PictureLimits,
): Promise<Picture[]> {
  const pictures = [await demoPicture(limits)];
  for (const path of paths) {
    const { file, width, height } = await readPicture(path, limits);
    const camera = cameraFromFlags(flags, { width, height });
    const taken = pictures.map(({ stem }) => stem);
    pictures.push({ path, stem: uniqueStem(path, taken), file, width, height, camera });
  }
  return pictures;
}

async function demoPicture(limits: PictureLimits): Promise<Picture> {
  const path = fileURLToPath(DEMO_PICTURE);
  const { fx, fy, cx, cy }: Intrinsics = await Bun.file(DEMO_CAMERA).json();
  const camera = { intrinsics: { fx, fy, cx, cy }, origin: 'known' };
  return { path, stem: 'demo', camera, ...(await readPicture(path, limits)) };
}

async function readPicture(path: string, limits: PictureLimits) {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    const reason = { ENOENT: 'no such file', EISDIR: 'a folder, not a picture' };
    throw new DemoError(`${path}: ${reason[error.code as keyof typeof reason] ?? error.message}`);
  });
  const { width, height } = await decodeImage(bytes, { ...limits, field: path });
  return { file: new Blob([bytes]), width, height };
}

function uniqueStem(path: string, taken: readonly string[]): string {
  const stem = basename(path, extname(path));
  let unique = stem;
  for (let count = 2; taken.includes(unique); count++) unique = `${stem}-${count}`;
  return unique;
}
