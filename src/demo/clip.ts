import { fileURLToPath } from 'node:url';

/** The clip in which the demo follows objects: balls on a table, seen by a camera that moves. */
export interface Clip {
  readonly path: string;
  readonly file: Blob;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  readonly fps: number;
  readonly objects: readonly ClipObject[];
}

/** What models/export/make_video_demo.py wrote of an object. */
interface ClipObject {
  readonly name: string;
  /** [x, y] on it in the first frame, as fractions of the picture. */
  readonly click: number[];
}

const VIDEO = fileURLToPath(new URL('../../models/embedded/video-demo.mp4', import.meta.url));
const CLICKS = new URL('../../models/embedded/video-demo.json', import.meta.url);

export async function readClip(): Promise<Clip> {
  const clip: Omit<Clip, 'path' | 'file'> = await Bun.file(CLICKS).json();
  return { path: VIDEO, file: Bun.file(VIDEO), ...clip };
}
