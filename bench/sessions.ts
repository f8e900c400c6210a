import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addPrompts, startSession } from '../src/client/index.ts';
import { writeRepeatedVideo } from '../src/media/repeated_video_fixture.ts';
import { tinyModel, videoFixture } from '../src/video/server_fixture.ts';
import { type ServerProcess, startServerProcess } from './server_client.ts';

/** A camera's video that is no part of the project; without it a clip of 96×64 pixels serves. */
const CAMERA = '../shared/data/video/bedroom.mp4';

/** A server with a session that follows two objects. */
export interface SessionServer {
  readonly server: ServerProcess;
  readonly session: string;
  /** `960x540` */
  readonly size: string;
}

/**
 * Opens a session in a server of its own with the tiny random SAM 3: the graphs cost little, so that
 * all else is seen.
 *
 * @param frames that the video has at least
 */
export async function withSession(
  device: string,
  frames: number,
  use: (opened: SessionServer) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'triptych-bench-'));
  const isHere = await Bun.file(CAMERA).exists();
  const [file, length] = isHere ? [CAMERA, 200] : [videoFixture('h264.mp4'), 40];
  await writeRepeatedVideo(file, join(folder, 'long.mp4'), Math.ceil(frames / length));
  const sam3Checkpoint = tinyModel(await mkdtemp(join(folder, 'model-')));
  const server = await startServerProcess(device, { sam3Checkpoint, videoRoot: folder });
  try {
    const options = { baseUrl: server.url };
    const { session_id, video_info } = await startSession({ video_path: 'long.mp4' }, options);
    const prompts = [{ points: [[0.5, 0.5]] }, { points: [[0.3, 0.3]] }];
    await addPrompts(session_id, { frame_index: 0, prompts }, options);
    const { width, height } = video_info.resolution;
    await use({ server, session: session_id, size: `${width}x${height}` });
  } finally {
    await server.stop();
    await rm(folder, { recursive: true });
  }
}
