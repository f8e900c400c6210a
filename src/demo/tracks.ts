import { join } from 'node:path';
import {
  ApiError,
  addPrompts,
  type ClientOptions,
  closeSession,
  PropagationError,
  propagateStream,
  serverStages,
  startSession,
  type TrackedFrame,
} from '../client/index.ts';
import type { Clip } from './clip.ts';
import { DemoError } from './errors.ts';
import { Stages } from './stages.ts';
import { writeTracks } from './track_pictures.ts';

/** What came of the clip. */
export interface TracksShown {
  readonly model: string;
  readonly model_exact: boolean;
  readonly frames: readonly TrackedFrame[];
  /** By what was asked. */
  readonly stages: Readonly<Record<string, Stages>>;
  /** The clip and some of its frames side by side, with the masks drawn over them. */
  readonly video: string;
  readonly sheet: string;
}

/**
 * Opens a session on the clip, clicks on each object once and follows them to its end; writes
 * `tracks.mp4` and `tracks.png`.
 *
 * @throws DemoError, NoAnswerError
 */
export async function showTracks(clip: Clip, baseUrl: URL, folder: string): Promise<TracksShown> {
  const stages = { open: new Stages(), click: new Stages(), follow: new Stages() };
  const [video, sheet] = ['tracks.mp4', 'tracks.png'].map((name) => join(folder, name));
  try {
    const { session_id, model, model_exact } = await timed(stages.open, baseUrl, (options) =>
      startSession({ video: clip.file }, options),
    );
    try {
      const prompts = clip.objects.map(({ click }) => ({ points: [click] }));
      await timed(stages.click, baseUrl, (options) =>
        addPrompts(session_id, { frame_index: 0, prompts }, options),
      );
      const frames = await follow(session_id, baseUrl, stages.follow);
      await writeTracks(clip, frames, { video, sheet }, stages.follow);
      return { model, model_exact, frames, stages, video, sheet };
    } finally {
      await closeSession(session_id, { baseUrl });
    }
  } catch (error) {
    if (error instanceof PropagationError) throw refused(clip, error.message, error);
    if (error instanceof ApiError) throw refused(clip, error.detail, error);
    throw error;
  }
}

async function follow(session: string, baseUrl: URL, stages: Stages): Promise<TrackedFrame[]> {
  const started = performance.now();
  const frames = await Array.fromAsync(
    propagateStream(session, { direction: 'forward' }, { baseUrl }),
  );
  const ms = performance.now() - started;
  stages.add('client', 'a frame', ms / frames.length);
  stages.add('client', '= round trip', ms);
  return frames;
}

async function timed<T>(
  stages: Stages,
  baseUrl: URL,
  ask: (options: ClientOptions) => Promise<T>,
): Promise<T> {
  let inServer = serverStages(new Headers());
  const onHeaders = (headers: Headers) => {
    inServer = serverStages(headers);
  };
  const started = performance.now();
  const answer = await ask({ baseUrl, onHeaders });
  stages.addRoundTrip(inServer, performance.now() - started);
  return answer;
}

function refused({ path }: Clip, detail: string, cause: Error): DemoError {
  return new DemoError(`${path}: ${detail}`, { cause });
}
