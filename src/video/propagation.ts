import type { VideoFrame } from '../media/video_frames.ts';
import type { Size } from '../sam/types.ts';
import { type Leg, type PropagationQuery, planFrames, readingOf } from './frame_plan.ts';
import type { VideoSession } from './session.ts';
import { settledFrames } from './settle.ts';
import type { FrameResult, VideoAction, VideoOutput } from './task.ts';
import { UPKEEP } from './track/text_tracks.ts';

/** Runs one action of a session in its engine. */
export type RunAction = (session: VideoSession, action: VideoAction) => Promise<VideoOutput>;

/**
 * A session on its way through the frames of a video. It is taken from its making on; whoever has it
 * must end it.
 */
export class Propagation {
  readonly plannedFrames: number;
  private readonly legs: readonly Leg[];
  private readonly begun: Promise<void>;
  private readonly cancelling = new AbortController();
  private readonly signal: AbortSignal;
  private isBegun = false;
  private hasEnded = false;
  private hasStepped = false;

  /** @throws HttpError 409 where the session propagates already */
  constructor(
    private readonly session: VideoSession,
    private readonly query: PropagationQuery,
    private readonly run: RunAction,
    private readonly onEnd: () => void,
    signal?: AbortSignal,
  ) {
    session.requireReady();
    this.legs = planFrames(query, session.video.info.totalFrames);
    this.plannedFrames = this.legs.reduce((sum, { count }) => sum + count, 0);
    this.begun = session.beginPropagation(this.plannedFrames);
    const own = [this.cancelling.signal, session.closing.signal];
    this.signal = AbortSignal.any(signal ? [...own, signal] : own);
    // One that nobody has begun to read would never come to its end.
    this.signal.addEventListener('abort', () => this.isBegun || this.end(), { once: true });
  }

  /** Of the session. */
  get id(): string {
    return this.session.id;
  }

  /** Of the frames, in pixels. */
  get size(): Size {
    const { width, height } = this.session.video.info;
    return { width, height };
  }

  /** Whether {@link cancel} was called. */
  get isCancelled(): boolean {
    return this.cancelling.signal.aborted;
  }

  /** Ends after the frame that is being worked on. */
  cancel(): void {
    this.cancelling.abort(new Error('the propagation was cancelled'));
  }

  /**
   * Frame after frame, as fast as they are taken.
   *
   * @throws what a frame fails with, and the signal's reason when it is cancelled
   */
  async *frames(): AsyncGenerator<FrameResult, void, undefined> {
    this.isBegun = true;
    try {
      await this.begun;
      this.signal.throwIfAborted();
      for (const leg of this.legs) {
        const reading = readingOf(leg, this.signal);
        for await (const frame of this.session.video.frames(leg.start, reading)) {
          const objects = await this.step(frame, leg);
          this.session.frameDone(frame.index);
          this.signal.throwIfAborted();
          yield { index: frame.index, objects };
        }
      }
    } catch (error) {
      // What breaks while a session is being closed broke because of it.
      const { signal } = this.session.closing;
      throw signal.aborted ? signal.reason : error;
    } finally {
      this.end();
    }
  }

  /**
   * The frames, where new objects may be taken back as much later as that takes.
   *
   * @throws as {@link frames}
   */
  settledFrames(): AsyncGenerator<FrameResult, void, undefined> {
    const { trackNew, settle } = this.query;
    if (!trackNew || !settle) return this.frames();
    return settledFrames(this.frames(), UPKEEP.trialFrames, () => this.session.objects);
  }

  /** Ends it together with what reads it. */
  async stop(reader: AsyncGenerator<unknown, void, undefined>): Promise<void> {
    this.cancel();
    await reader.return();
    this.end();
  }

  /** Frees the session for other work; a second call does nothing. */
  end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.session.endPropagation();
    this.onEnd();
  }

  private async step({ data, width, height, index }: VideoFrame, { direction }: Leg) {
    const frame = { index, pixels: data, size: { width, height } };
    const { trackNew, settle } = this.query;
    const isFirst = !this.hasStepped;
    this.hasStepped = true;
    const action = { type: 'step', frame, direction, isFirst, trackNew, settle } as const;
    const { objects } = await this.run(this.session, action);
    return objects;
  }
}
