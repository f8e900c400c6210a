import { availableParallelism } from 'node:os';
import { Gate } from '../api/gate.ts';
import { EngineError } from '../engine/errors.ts';

/** Requests that may wait. */
const WAITING = 64;

/**
 * Lets a few requests in at a time, before anything of them is decoded: frames are held until their
 * last object is done, and a picture of a hundred kilobytes may be as many megabytes. One more than
 * decode at a time, so that the engine has work meanwhile.
 */
export class Admission {
  private readonly gate = new Gate(availableParallelism() + 1, WAITING);

  /** @param deadlineMs how long one may wait */
  constructor(private readonly deadlineMs: number) {}

  /**
   * @throws EngineError `deadline` or `cancelled` for one that waited too long, or whose caller left;
   *   HttpError 503 when too many wait
   */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) throw cancelled();
    let waiting: (() => Promise<T>) | null = work;
    const { promise: left, reject } = Promise.withResolvers<never>();
    const leave = (error: EngineError) => {
      // Its place is freed when its turn comes; what it holds, now.
      waiting = null;
      reject(error);
    };
    const onAbort = () => leave(cancelled());
    const timer = setTimeout(() => leave(late(this.deadlineMs)), this.deadlineMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    const stopWaiting = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const turn = this.gate.run(async () => {
      const admitted = waiting;
      stopWaiting();
      if (admitted) return admitted();
      throw cancelled();
    });
    try {
      return await Promise.race([turn, left]);
    } finally {
      stopWaiting();
    }
  }
}

function cancelled(): EngineError {
  return new EngineError('cancelled', 'the client closed the connection');
}

function late(deadlineMs: number): EngineError {
  const waited = (deadlineMs / 1000).toFixed(1);
  const message = `the server is busy: the request waited ${waited} s in the queue. Try again later`;
  return new EngineError('deadline', message, { retryAfterSeconds: 1 });
}
