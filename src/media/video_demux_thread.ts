import { MediaError } from './errors.ts';
import type { DemuxCalls, DemuxName, FromDemuxer, ToDemuxer } from './video_demux_protocol.ts';

interface Waiting {
  readonly field: string;
  readonly timer: ReturnType<typeof setTimeout>;
  resolve(answer: unknown): void;
  reject(cause: unknown): void;
}

/** How an answer is waited for. */
export interface AskOptions {
  /** The request field that the file came from, for error messages. */
  readonly field: string;
  readonly timeoutMs: number;
}

/** Threads without a file that are kept for the next one: starting one takes a tenth of a second. */
const KEPT = 2;
const kept: DemuxThread[] = [];

/**
 * A thread that parses one file at a time. One that takes too long for an answer is ended: a file
 * can be made on which the parser never ends.
 */
export class DemuxThread {
  private readonly worker = new Worker(new URL('./video_demux_worker.ts', import.meta.url), {
    smol: true,
  });
  private readonly waiting = new Map<number, Waiting>();
  private readonly exited: Promise<void>;
  private asked = 0;
  /** Why there are no more answers. */
  private end: Error | null = null;

  private constructor() {
    // What is waited for holds the process by its timer.
    this.worker.unref();
    this.worker.onmessage = ({ data }: MessageEvent<FromDemuxer>) => this.receive(data);
    this.worker.onerror = ({ message }) => this.stop(new Error(`the demuxer crashed: ${message}`));
    this.exited = new Promise((resolve) => {
      this.worker.addEventListener('close', () => {
        this.stop(new Error('the demuxer exited'));
        resolve();
      });
    });
  }

  /** One that was kept, or a new one. */
  static take(): DemuxThread {
    return kept.pop() ?? new DemuxThread();
  }

  /** @throws {MediaError} 422 for what is wrong with the file, and for running out of time */
  ask<Name extends DemuxName>(
    name: Name,
    ask: DemuxCalls[Name]['ask'],
    { field, timeoutMs }: AskOptions,
  ): Promise<DemuxCalls[Name]['answer']> {
    if (this.end) return Promise.reject(this.end);
    const id = this.asked++;
    const message: ToDemuxer<Name> = { id, name, ask };
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.stop(tooSlow(field, timeoutMs)), timeoutMs);
      this.waiting.set(id, { field, timer, resolve: resolve as Waiting['resolve'], reject });
      this.worker.postMessage(message);
    });
  }

  /** Ends the thread; whoever waits gets the reason. */
  stop(reason: Error): void {
    if (this.end) return;
    this.end = reason;
    this.worker.terminate();
    for (const { reject, timer } of this.waiting.values()) {
      clearTimeout(timer);
      reject(reason);
    }
    this.waiting.clear();
  }

  /** Lets the file go; afterwards the thread doesn't touch it. The thread is kept, or ends. */
  async release(options: AskOptions): Promise<void> {
    await this.ask('forget', null, options).catch((cause) => this.stop(cause));
    if (!this.end && kept.length < KEPT) {
      kept.push(this);
      return;
    }
    this.stop(new Error('the demuxer was ended'));
    await this.exited;
  }

  private receive(data: FromDemuxer): void {
    const asker = this.waiting.get(data.id);
    if (!asker) return;
    this.waiting.delete(data.id);
    clearTimeout(asker.timer);
    if ('answer' in data) asker.resolve(data.answer);
    else if (data.status === null) asker.reject(new Error(data.message));
    else asker.reject(new MediaError(data.status, data.message, asker.field));
  }
}

function tooSlow(field: string, timeoutMs: number): MediaError {
  const what = `${field} is corrupt: its frames could not be found within ${timeoutMs} ms`;
  return new MediaError(422, `${what}. Send a whole file, or encode it again.`, field);
}
