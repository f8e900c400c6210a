import { EngineError } from '../engine/errors.ts';
import type { EnginePool } from '../engine/pool.ts';
import type { VideoSession } from './session.ts';
import { type VideoAction, type VideoOutput, videoTask } from './task.ts';

/** Work that was admitted waits as long as it takes. */
const PATIENCE_MS = 2 ** 31 - 1;

/** Between two tries at a full queue. */
const RETRY_MS = 50;

/** Has sessions' actions done in the engines that hold their objects. */
export class SessionEngine {
  constructor(
    private readonly pool: EnginePool,
    private readonly queueTimeoutMs: number,
  ) {}

  /**
   * Runs an action where the session's objects are; the first one chooses the engine.
   *
   * @param isPatient whether it waits for room in the queue, for work that is under way
   * @throws EngineError
   */
  async run(session: VideoSession, action: VideoAction, isPatient = false): Promise<VideoOutput> {
    const task = { session: session.key, action };
    const deadlineMs = isPatient ? PATIENCE_MS : this.queueTimeoutMs;
    for (;;) {
      try {
        const { engine } = session;
        const answer = await this.pool.submit(videoTask, task, { engine, deadlineMs });
        session.engine = answer.engine;
        session.update(answer.output);
        return answer.output;
      } catch (error) {
        this.check(session);
        if (!isPatient || !isFull(error)) throw error;
        await Bun.sleep(RETRY_MS);
      }
    }
  }

  /** What an engine kept is gone with it. */
  check(session: VideoSession): void {
    if (session.engine === undefined || this.pool.has(session.engine)) return;
    session.fail(
      'the engine that followed its objects stopped and was replaced: close this session and start another',
    );
  }

  /** Frees what the session holds there. @returns bytes that the device got back */
  async free(session: VideoSession): Promise<number> {
    const { engine, bytes } = session;
    if (engine === undefined) return 0;
    try {
      return bytes - (await this.run(session, { type: 'close' }, true)).bytes;
    } catch (error) {
      if (this.pool.has(engine)) throw error;
      // It went with the engine.
      return bytes;
    }
  }
}

function isFull(error: unknown): boolean {
  return error instanceof EngineError && error.failure === 'queue_full';
}
