import { decodeBase64 } from './base64.ts';
import { MediaError } from './errors.ts';
import { type FetchOptions, guardedStream } from './fetch.ts';
import { openVideo } from './video.ts';
import type { VideoFrames, VideoLimits } from './video_frames.ts';
import { resolveVideoPath } from './video_path.ts';
import type { Upload, UploadSpace } from './video_upload.ts';

/** Where a request's video is; one of them. */
export interface VideoSource {
  /** An uploaded file. */
  readonly video?: Blob;
  /** The file's base64 or a data URL. */
  readonly video_base64?: string;
  readonly video_url?: string;
  /** A file or a folder of frames on the server, absolute or from the video root. */
  readonly video_path?: string;
}

export interface VideoSourceOptions extends VideoLimits {
  /** Largest file that is uploaded or fetched. */
  readonly maxBytes: number;
  readonly uploads: UploadSpace;
  /** The folder that `video_path` may name things in; without one it is refused. */
  readonly root?: string;
  /** How `video_url` is fetched. */
  readonly fetch: Pick<
    FetchOptions,
    'timeoutMs' | 'allowHosts' | 'allowPrivate' | 'resolve' | 'ca'
  >;
  /** Frames a second of a folder of frames. */
  readonly folderFps?: number;
  readonly signal?: AbortSignal;
}

const FIELDS = ['video', 'video_base64', 'video_url', 'video_path'] as const;
const MAX_REDIRECTS = 5;
/** Written at a time, so that a large file leaves time for others. */
const CHUNK_BYTES = 1 << 20;

/**
 * Opens the video that a request carries or points to. Uploads and downloads lie in `uploads` until
 * the video is closed; nothing of a file is decoded before its place, size and limits are checked.
 *
 * @throws {MediaError} 400 for none or several sources; 403 and 404 for a path; 413 for too many
 *   bytes; 422 for what is no whole video or past the limits; 503 where uploads fill their space
 */
export async function loadVideo(
  source: VideoSource,
  options: VideoSourceOptions,
): Promise<VideoFrames> {
  const field = givenField(source);
  if (field === 'video_path') {
    const location = await resolveVideoPath(options.root, source.video_path ?? '', field);
    return openVideo(location, { ...options, field, root: location.root });
  }
  const upload = await stored(source, field, options);
  try {
    const video = await openVideo({ path: upload.path, isFolder: false }, { ...options, field });
    return withRelease(video, upload);
  } catch (cause) {
    await upload.release();
    throw cause;
  }
}

function givenField(source: VideoSource): (typeof FIELDS)[number] {
  const given = FIELDS.filter((field) => source[field] !== undefined);
  if (given.length === 1) return given[0];
  const found = given.length === 0 ? 'none' : given.join(' and ');
  throw new MediaError(400, `expected one of ${FIELDS.join(', ')}; given ${found}.`);
}

async function stored(
  source: VideoSource,
  field: string,
  options: VideoSourceOptions,
): Promise<Upload> {
  const { uploads, maxBytes, signal } = options;
  const limits = { maxBytes, field, signal };
  if (source.video) {
    if (source.video.size > maxBytes) throw tooLarge(source.video.size, maxBytes, field);
    return uploads.store(source.video.stream(), limits);
  }
  if (source.video_base64 !== undefined) {
    return uploads.store(slices(decodeBase64(source.video_base64, limits)), limits);
  }
  const fetching = { ...options.fetch, ...limits, maxRedirects: MAX_REDIRECTS, accept: ACCEPT };
  return guardedStream(source.video_url ?? '', fetching, ({ chunks }) =>
    uploads.store(chunks, limits),
  );
}

const ACCEPT = 'video/*, */*;q=0.5';

function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let from = 0; from < bytes.byteLength; from += CHUNK_BYTES) {
    yield bytes.subarray(from, from + CHUNK_BYTES);
  }
}

function tooLarge(given: number, maxBytes: number, field: string): MediaError {
  return new MediaError(413, `${field} has ${given} bytes; at most ${maxBytes} are taken.`, field);
}

/** The video, whose closing removes the uploaded file too. */
function withRelease(video: VideoFrames, upload: Upload): VideoFrames {
  return {
    info: video.info,
    timestampOf: (index) => video.timestampOf(index),
    indexAt: (seconds) => video.indexAt(seconds),
    frame: (index, signal) => video.frame(index, signal),
    frames: (start, options) => video.frames(start, options),
    close: async () => {
      await video.close();
      await upload.release();
    },
  };
}
