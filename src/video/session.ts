import { HttpError } from '../api/errors.ts';
import type { VideoFrames } from '../media/video_frames.ts';
import type { FoundSegmentModel } from '../sam/models.ts';
import type { VideoOutput } from './task.ts';

export type SessionState = 'ready' | 'processing' | 'error' | 'closed';

/** How far a propagation has come. */
export interface Progress {
  readonly done: number;
  readonly planned: number;
  readonly startedAt: number;
}

/** What a session is made of. */
export interface SessionParts {
  readonly id: string;
  readonly video: VideoFrames;
  readonly model: FoundSegmentModel;
}

/** The main thread's half of a session: the video, and what the engine last told of its objects. */
export class VideoSession {
  readonly id: string;
  /** Names it in the engine for good. */
  readonly key: string = crypto.randomUUID();
  readonly createdAt = new Date();
  readonly video: VideoFrames;
  readonly model: FoundSegmentModel;
  /** Of the engine that has the objects, once it is opened there. */
  engine: number | undefined;
  objects: readonly number[] = [];
  /** On the device. */
  bytes = 0;
  /** Frames that were propagated to. */
  readonly processed = new Set<number>();
  /** Whether a text was asked for. */
  hasConcepts = false;
  /** Aborted when it is closed. */
  readonly closing = new AbortController();
  private failure: string | null = null;
  private progressed: Progress | null = null;
  private last: Promise<unknown> = Promise.resolve();

  constructor({ id, video, model }: SessionParts) {
    this.id = id;
    this.video = video;
    this.model = model;
  }

  get state(): SessionState {
    if (this.closing.signal.aborted) return 'closed';
    if (this.failure !== null) return 'error';
    return this.progressed ? 'processing' : 'ready';
  }

  /** Why its state is `error`. */
  get error(): string | null {
    return this.failure;
  }

  /** Of the propagation that is going on. */
  get progress(): Progress | null {
    return this.progressed;
  }

  fail(reason: string): void {
    this.failure ??= reason;
  }

  /** @throws HttpError 409 while it propagates, 503 after its engine was lost, 404 once closed */
  requireReady(): void {
    const { state, id } = this;
    if (state === 'processing') {
      throw new HttpError(
        409,
        `session ${id} is propagating: wait for its end, or cancel it, then ask again`,
      );
    }
    if (state === 'error') throw new HttpError(503, `session ${id}: ${this.failure}`);
    if (state === 'closed') throw new HttpError(404, `session ${id} is being closed`);
  }

  /** Work that must not run beside other work on the session; in the order of the calls. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.last.then(work, work);
    this.last = turn.catch(() => {});
    return turn;
  }

  /** Marks it as propagating, once what was begun before has ended. */
  async beginPropagation(planned: number): Promise<void> {
    this.requireReady();
    this.progressed = { done: 0, planned, startedAt: performance.now() };
    await this.last;
  }

  frameDone(index: number): void {
    this.processed.add(index);
    const { progressed } = this;
    if (progressed) this.progressed = { ...progressed, done: progressed.done + 1 };
  }

  endPropagation(): void {
    this.progressed = null;
  }

  /** What the engine told of it. */
  update({ ids, bytes }: VideoOutput): void {
    this.objects = ids;
    this.bytes = bytes;
  }

  /** @throws HttpError 404 for an object that is not there */
  requireObject(object: number): void {
    if (this.objects.includes(object)) return;
    const known = this.objects.length > 0 ? this.objects.join(', ') : 'none';
    throw new HttpError(404, `session ${this.id} has no object ${object}; there are: ${known}`);
  }

  /** @throws HttpError 422 for a frame outside the video */
  requireFrame(index: number, field: string): void {
    const { totalFrames } = this.video.info;
    if (index < totalFrames) return;
    throw new HttpError(
      422,
      `${field}: expected a frame from 0 to ${totalFrames - 1}, given ${index}`,
    );
  }
}
