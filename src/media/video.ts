import type { VideoFrames, VideoLimits } from './video_frames.ts';

/** How to open a video that lies on this machine. */
export interface VideoOptions extends VideoLimits {
  /** The request field that the video came from, for error messages. Default `video`. */
  readonly field?: string;
  /** Frames a second of a folder of frames, which doesn't say. Default 30. */
  readonly folderFps?: number;
  /** Where a folder's links may lead. Default: the folder itself. */
  readonly root?: string;
  /** Milliseconds that the parser of a file may work on one question. Default 30 000. */
  readonly parseTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** A file, or a folder of JPEG or PNG frames. */
export interface VideoLocation {
  readonly path: string;
  readonly isFolder: boolean;
}

const FOLDER_FPS = 30;
const PARSE_TIMEOUT_MS = 30_000;

/**
 * Opens a video: MP4, MOV, WebM or MKV with H.264, H.265, VP9 or AV1, or a folder of JPEG or PNG
 * frames. Nothing but the index is kept in memory, whatever the length.
 *
 * @throws {MediaError} 422 for what is no whole video, holds nothing that can be decoded, or is past
 *   the limits; 403 for a link that leaves the root
 */
export async function openVideo(
  { path, isFolder }: VideoLocation,
  options: VideoOptions,
): Promise<VideoFrames> {
  const field = options.field ?? 'video';
  if (isFolder) {
    const { FrameFolder } = await import('./frame_folder.ts');
    const { root = path, folderFps: fps = FOLDER_FPS } = options;
    return FrameFolder.open(path, { ...options, field, root, fps });
  }
  // FFmpeg's library is large: it is loaded with the first video.
  const { VideoFile } = await import('./video_file.ts');
  const { parseTimeoutMs = PARSE_TIMEOUT_MS } = options;
  return VideoFile.open(path, { ...options, field, parseTimeoutMs });
}
