import {
  type EngineContext,
  type EngineModule,
  engineModule,
  type TaskOutcome,
} from '../engine/task.ts';
import { releaseFrame } from '../media/video_frames.ts';
import type { OpenModels } from '../models/open_models.ts';
import { FeatureCache } from '../sam/feature_cache.ts';
import type { HeadEngine } from '../sam/run.ts';
import { EngineSession } from './engine_session.ts';
import { type FrameObject, type VideoOutput, type VideoTask, videoTask } from './task.ts';

/** Texts that are looked for on frame after frame. */
const TEXTS = { maxBytes: 8 << 20, ttlMs: 600_000 };

/**
 * Video in the engine thread: the objects of each session, frame by frame.
 *
 * @param models shared with segmentation, so that one SAM 3 is opened once
 */
export function videoModule(
  { backend, progress }: EngineContext,
  models: OpenModels,
): EngineModule {
  const engine: VideoEngine = {
    backend,
    models,
    texts: new FeatureCache(backend, TEXTS),
    progress,
    sessions: new Map(),
  };
  return engineModule(
    videoTask,
    (tasks) => runVideo(engine, tasks),
    // Segmentation tells of the shared ones.
    () => [],
    () => figures(engine),
  );
}

interface VideoEngine extends HeadEngine {
  readonly sessions: Map<string, EngineSession>;
}

/** Names as `EngineStatus.figures` has them. */
function figures({ sessions }: VideoEngine): Record<string, number> {
  const bytes = [...sessions.values()].reduce((sum, session) => sum + session.bytes, 0);
  return { videoSessions: sessions.size, videoSessionBytes: bytes };
}

async function runVideo(
  engine: VideoEngine,
  tasks: readonly VideoTask[],
): Promise<TaskOutcome<VideoOutput>[]> {
  const outcomes: TaskOutcome<VideoOutput>[] = [];
  for (const task of tasks) {
    const started = performance.now();
    try {
      const output = await run(engine, task);
      outcomes.push({ output, timings: { [task.action.type]: performance.now() - started } });
    } catch (error) {
      outcomes.push({ error });
    } finally {
      if ('frame' in task.action) releaseFrame({ data: task.action.frame.pixels });
    }
  }
  return outcomes;
}

async function run(engine: VideoEngine, { session: key, action }: VideoTask): Promise<VideoOutput> {
  const { sessions } = engine;
  if (action.type === 'open') {
    sessions.set(key, new EngineSession(engine, action.model, action.frames));
  }
  const session = sessions.get(key);
  // Closing twice is no fault.
  if (!session) return { objects: [], ids: [], bytes: 0 };
  const objects = await act(session, action);
  if (action.type === 'close') sessions.delete(key);
  return { objects, ids: session.ids, bytes: session.bytes };
}

async function act(
  session: EngineSession,
  action: VideoTask['action'],
): Promise<readonly FrameObject[]> {
  switch (action.type) {
    case 'prompt':
      return session.prompt(action);
    case 'step':
      return session.step(action);
    case 'remove':
      session.remove(action.object);
      return [];
    case 'reset':
      session.reset();
      return [];
    case 'close':
      session.dispose();
      return [];
    case 'open':
      return [];
  }
}
