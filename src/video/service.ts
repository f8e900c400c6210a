import { HttpError } from '../api/errors.ts';
import type { VideoSource } from '../media/video_source.ts';
import type { PlannedPrompt } from '../sam/prompts.ts';
import { tokenised } from '../sam/tokenised.ts';
import type { ClickPrompt } from '../sam/types.ts';
import type { PropagationQuery } from './frame_plan.ts';
import { Propagation } from './propagation.ts';
import { SessionRegistry } from './registry.ts';
import type { VideoSession } from './session.ts';
import { SessionEngine } from './session_engine.ts';
import { type ResourceOptions, SessionResources } from './session_resources.ts';
import type { FrameObject, VideoAction } from './task.ts';

export interface VideoServiceOptions extends ResourceOptions {
  /** False refuses everything. */
  readonly enabled: boolean;
  readonly maxSessions: number;
  readonly timeoutMs: number;
  readonly queueTimeoutMs: number;
  /** Where a prompt has none. */
  readonly threshold: number;
}

export interface StartQuery {
  readonly source: VideoSource;
  readonly id?: string;
  /** Id of the model to use; the best installed one without it. */
  readonly model?: string;
}

export interface PromptQuery {
  readonly frame: number;
  /** What starts objects, or corrects one. */
  readonly ask:
    | { readonly prompts: readonly PlannedPrompt[] }
    | { readonly object: number; readonly click: ClickPrompt };
  /** Null is the server's own. */
  readonly threshold: number | null;
}

/** Sessions from their start to their end: frames are decoded here, objects followed in the engines. */
export class VideoService {
  private readonly registry: SessionRegistry;
  private readonly engines: SessionEngine;
  private readonly resources: SessionResources;
  private readonly closings = new WeakMap<VideoSession, Promise<number>>();

  constructor(private readonly options: VideoServiceOptions) {
    const { maxSessions, timeoutMs } = options;
    this.engines = new SessionEngine(options.pool, options.queueTimeoutMs);
    this.resources = new SessionResources(options, this.engines);
    const reason = `had no request for ${timeoutMs / 1000} s and was closed`;
    this.registry = new SessionRegistry({
      maxSessions,
      timeoutMs,
      onExpired: (session) => void this.end(session, reason).catch(() => {}),
    });
  }

  /** Sessions that are there. */
  get size(): number {
    return this.registry.size;
  }

  /** @throws HttpError 503 where the server takes no video */
  requireEnabled(): void {
    if (this.options.enabled) return;
    throw new HttpError(
      503,
      'video is switched off on this server: start it with --video-model-enabled true (VIDEO_MODEL_ENABLED)',
    );
  }

  /**
   * Refuses a session that would be refused anyway, before anything is read.
   *
   * @throws HttpError 503 at the bound; ModelNotInstalledError; EngineError
   */
  requireRoom(): void {
    this.requireEnabled();
    this.registry.requireRoom();
    this.options.pool.checkCapacity();
    this.resources.findModel(undefined);
  }

  /**
   * Opens a video; nothing stays behind where that fails.
   *
   * @throws HttpError 503 at the bound, 422 for a bad id or model, 409 for an id that is taken
   * @throws MediaError for a bad video; ModelNotInstalledError; EngineError
   */
  async start({ source, id: given, model }: StartQuery, signal?: AbortSignal) {
    const id = this.registry.reserve(given);
    try {
      const session = await this.resources.open(
        id,
        source,
        this.resources.findModel(model),
        signal,
      );
      this.registry.add(session);
      return session;
    } catch (error) {
      this.registry.remove(id, null);
      throw error;
    }
  }

  /**
   * Starts objects on a frame, or corrects one.
   *
   * @throws HttpError 404, 409 and 422; MediaError for a frame that cannot be decoded; EngineError
   */
  prompt(id: string, query: PromptQuery): Promise<readonly FrameObject[]> {
    const { frame, ask, threshold } = query;
    return this.use(id, (session) => {
      session.requireFrame(frame, 'frame_index');
      session.requireReady();
      return session.inTurn(async () => {
        session.closing.signal.throwIfAborted();
        const object = 'object' in ask ? ask.object : null;
        if (object !== null) session.requireObject(object);
        const prompts = 'click' in ask ? [ask.click] : await this.engineTerms(session, ask.prompts);
        const { data, width, height } = await session.video.frame(frame);
        const pixels = { index: frame, pixels: data, size: { width, height } };
        const least = threshold ?? this.options.threshold;
        const { objects } = await this.engines.run(session, {
          type: 'prompt',
          frame: pixels,
          prompts,
          object,
          threshold: least,
        });
        session.hasConcepts ||= prompts.some(({ type }) => type === 'concept');
        return objects;
      });
    });
  }

  /**
   * Takes a session for a propagation, which the caller has to end.
   *
   * @throws HttpError 400 without any object, 404, 409 while another one runs, 422
   */
  propagate(id: string, query: PropagationQuery, signal?: AbortSignal): Propagation {
    const { session, done } = this.registry.use(id);
    try {
      this.engines.check(session);
      session.requireFrame(query.start, 'start_frame_index');
      session.requireReady();
      requireSomething(session, query);
      const run = (_: VideoSession, action: VideoAction) => this.engines.run(session, action, true);
      return new Propagation(session, query, run, done, signal);
    } catch (error) {
      done();
      throw error;
    }
  }

  /** @throws HttpError 404 */
  find(id: string): VideoSession {
    const { session, done } = this.registry.use(id);
    done();
    this.engines.check(session);
    return session;
  }

  list(): VideoSession[] {
    const sessions = this.registry.list();
    for (const session of sessions) this.engines.check(session);
    return sessions;
  }

  /** @throws HttpError 404 for an object that is not there, 409 while it propagates */
  removeObject(id: string, object: number): Promise<void> {
    return this.use(id, (session) => {
      session.requireReady();
      return session.inTurn(async () => {
        session.requireObject(object);
        await this.engines.run(session, { type: 'remove', object });
      });
    });
  }

  /**
   * Forgets all objects.
   *
   * @returns how many there were
   * @throws HttpError 409 while it propagates
   */
  reset(id: string): Promise<number> {
    return this.use(id, (session) => {
      session.requireReady();
      return session.inTurn(async () => {
        const cleared = session.objects.length;
        await this.engines.run(session, { type: 'reset' });
        session.hasConcepts = false;
        session.processed.clear();
        return cleared;
      });
    });
  }

  /**
   * Stops what a session does and frees all of it.
   *
   * @returns bytes that the device got back
   */
  close(id: string): Promise<number> {
    return this.end(this.registry.find(id), 'was closed');
  }

  /** Removes all files; what the engines hold goes with them. */
  async stop(): Promise<void> {
    const sessions = this.registry.list();
    for (const session of sessions) {
      session.closing.abort(new HttpError(503, 'the server is stopping'));
      this.registry.remove(session.id, null);
    }
    await Promise.allSettled(sessions.map(({ video }) => video.close()));
    await this.resources.close();
  }

  private engineTerms(
    { model: { model, tokenizerFile } }: VideoSession,
    prompts: readonly PlannedPrompt[],
  ) {
    const text = prompts.find(({ ask }) => ask.type === 'concept');
    if (text && (!model.concept || tokenizerFile === null)) {
      throw new HttpError(
        503,
        `prompts.${text.index}: ${model.name} takes no texts and no exemplar boxes; give points, or boxes with mode "instance"`,
      );
    }
    return tokenised(prompts, tokenizerFile);
  }

  private async use<T>(id: string, work: (session: VideoSession) => Promise<T>): Promise<T> {
    const { session, done } = this.registry.use(id);
    try {
      this.engines.check(session);
      return await work(session);
    } catch (error) {
      throw session.closing.signal.aborted ? session.closing.signal.reason : error;
    } finally {
      done();
    }
  }

  private end(session: VideoSession, reason: string): Promise<number> {
    const known = this.closings.get(session);
    if (known !== undefined) return known;
    const closing = this.resources
      .free(session)
      .finally(() => this.registry.remove(session.id, reason));
    this.closings.set(session, closing);
    return closing;
  }
}

function requireSomething(
  { id, objects, hasConcepts }: VideoSession,
  query: PropagationQuery,
): void {
  if (query.trackNew && !hasConcepts) {
    throw new HttpError(
      400,
      `track_new: session ${id} has no text to look for: give it a text prompt first`,
    );
  }
  if (objects.length > 0 || query.trackNew) return;
  throw new HttpError(400, `session ${id} has no object to follow: give it a prompt first`);
}
