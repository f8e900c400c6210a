import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { MediaError } from './errors.ts';
import { decodeImage } from './image.ts';
import {
  indicesFrom,
  type ReadOptions,
  requireIndex,
  type VideoFrame,
  type VideoFrames,
  type VideoInfo,
  type VideoLimits,
} from './video_frames.ts';
import { isInside } from './video_path.ts';
import { prefetched } from './video_prefetch.ts';

const PICTURES = /\.(?:jpe?g|png)$/i;
/** Headers read at a time. */
const AT_ONCE = 8;
const PREFETCH = 2;
/** Largest encoded frame. */
const MAX_BYTES = 256 << 20;

export interface FolderOptions extends VideoLimits {
  /** The request field that names the folder, for error messages. */
  readonly field: string;
  /** Frames a second, which a folder doesn't say. */
  readonly fps: number;
  /** Where links in the folder may lead; none may leave it. */
  readonly root: string;
  readonly signal?: AbortSignal;
}

/**
 * A folder of JPEG or PNG frames, in natural order (`frame2.jpg` before `frame10.jpg`), as a video.
 * Other files and those that begin with a dot are passed over.
 */
export class FrameFolder implements VideoFrames {
  private readonly closing = new AbortController();

  private constructor(
    private readonly paths: readonly string[],
    private readonly options: FolderOptions,
    readonly info: VideoInfo,
  ) {}

  /**
   * @throws {MediaError} 403 for a link that leaves the root; 422 for no frames, frames of
   *   different sizes, and what is past the limits
   */
  static async open(folder: string, options: FolderOptions): Promise<FrameFolder> {
    const { field, fps, maxFrames, maxDurationSeconds } = options;
    const names = await pictureNames(folder);
    if (names.length === 0) {
      throw new MediaError(422, `${field} is a folder without JPEG or PNG frames.`, field);
    }
    if (names.length > maxFrames) {
      const given = `${field} has ${names.length} frames; at most ${maxFrames} are taken`;
      throw new MediaError(422, `${given}.`, field);
    }
    const durationSeconds = names.length / fps;
    if (durationSeconds > maxDurationSeconds) {
      const given = `${field} lasts ${durationSeconds.toFixed(1)} s at ${fps} frames a second`;
      throw new MediaError(422, `${given}; at most ${maxDurationSeconds} s are taken.`, field);
    }
    // The frames' paths are resolved, so the root must be, too.
    const resolved = { ...options, root: await realpath(options.root) };
    const paths = await Promise.all(names.map((name) => checkedPath(folder, name, resolved)));
    const { width, height, format } = await commonSize(paths, names, options);
    const info = { totalFrames: names.length, fps, width, height, durationSeconds };
    return new FrameFolder(paths, options, { ...info, codec: format, container: 'folder' });
  }

  timestampOf(index: number): number {
    requireIndex(index, this.info.totalFrames);
    return index / this.info.fps;
  }

  indexAt(seconds: number): number {
    // The half of a rounding error keeps `indexAt(timestampOf(i))` at `i`.
    const index = Math.floor(seconds * this.info.fps + 1e-9);
    return Math.min(this.info.totalFrames - 1, Math.max(0, index));
  }

  async frame(index: number, signal?: AbortSignal): Promise<VideoFrame> {
    requireIndex(index, this.info.totalFrames);
    this.endsWith(signal).throwIfAborted();
    const { maxPixels, field: whole } = this.options;
    const field = `${whole}: frame ${index}`;
    const bytes = new Uint8Array(await readFile(this.paths[index], { signal }));
    const image = await decodeImage(bytes, { maxPixels, maxBytes: MAX_BYTES, field });
    if (image.width !== this.info.width || image.height !== this.info.height) {
      throw differs(this.info, image, `frame ${index}`, whole);
    }
    return { ...image, index, timestamp: this.timestampOf(index) };
  }

  async *frames(
    start: number,
    options: ReadOptions = {},
  ): AsyncGenerator<VideoFrame, void, undefined> {
    const indices = indicesFrom(start, options, this.info.totalFrames);
    yield* prefetched(
      this.readAll(indices, this.endsWith(options.signal)),
      options.prefetch ?? PREFETCH,
    );
  }

  async close(): Promise<void> {
    this.closing.abort(new Error('the video was closed'));
  }

  private async *readAll(
    indices: readonly number[],
    signal: AbortSignal,
  ): AsyncGenerator<VideoFrame, void, undefined> {
    for (const index of indices) {
      signal.throwIfAborted();
      yield await this.frame(index, signal);
    }
  }

  private endsWith(signal?: AbortSignal): AbortSignal {
    return signal ? AbortSignal.any([signal, this.closing.signal]) : this.closing.signal;
  }
}

async function pictureNames(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter(
    (name) => PICTURES.test(name) && !name.startsWith('.'),
  );
  const natural = new Intl.Collator('en', { numeric: true });
  // Names that the collator holds equal still need one order.
  return names.sort((a, b) => natural.compare(a, b) || (a < b ? -1 : 1));
}

async function checkedPath(
  folder: string,
  name: string,
  { root, field }: FolderOptions,
): Promise<string> {
  const path = await realpath(join(folder, name)).catch(() => null);
  if (path === null || !isInside(path, root)) {
    const what = `${field} has ${JSON.stringify(name)}, a link that leads out of the video folder`;
    throw new MediaError(403, `${what}.`, field);
  }
  if (!(await stat(path)).isFile()) {
    const what = `${field} has ${JSON.stringify(name)}, which is not a file`;
    throw new MediaError(422, `${what}; expected JPEG or PNG frames.`, field);
  }
  return path;
}

interface Header {
  readonly width: number;
  readonly height: number;
  readonly format: 'jpeg' | 'png';
}

async function commonSize(
  paths: readonly string[],
  names: readonly string[],
  options: FolderOptions,
): Promise<Header> {
  const { field, maxPixels, signal } = options;
  const first = await headerOf(paths[0], names[0], field);
  const { width, height } = first;
  if (width * height > maxPixels) {
    const given = `${field} is ${width}x${height} = ${width * height} pixels a frame`;
    throw new MediaError(422, `${given}; at most ${maxPixels} are decoded.`, field);
  }
  for (let from = 1; from < paths.length; from += AT_ONCE) {
    signal?.throwIfAborted();
    const some = paths.slice(from, from + AT_ONCE);
    const headers = await Promise.all(
      some.map((path, i) => headerOf(path, names[from + i], field)),
    );
    for (const [i, header] of headers.entries()) {
      if (header.width === width && header.height === height) continue;
      throw differs(first, header, JSON.stringify(names[from + i]), field);
    }
  }
  return first;
}

async function headerOf(path: string, name: string, field: string): Promise<Header> {
  const bad = (what: string) =>
    new MediaError(422, `${field}: ${JSON.stringify(name)} is ${what}.`, field);
  const header = await sharp(path, { limitInputPixels: false })
    .metadata()
    .catch(() => null);
  if (header?.format !== 'jpeg' && header?.format !== 'png') throw bad('no JPEG or PNG image');
  const { width, height } = header.autoOrient;
  return { width, height, format: header.format };
}

function differs(
  expected: { readonly width: number; readonly height: number },
  given: { readonly width: number; readonly height: number },
  name: string,
  field: string,
): MediaError {
  const found = `${name} is ${given.width}x${given.height}`;
  const first = `the first frame is ${expected.width}x${expected.height}`;
  return new MediaError(422, `${field}: ${found}, ${first}; expected one size.`, field);
}
