import { Value } from '@sinclair/typebox/value';
import { HttpError, publicError } from '../api/errors.ts';
import { describeProblem } from '../api/validation.ts';
import { plainFields } from '../sam/prompt_fields.ts';
import type { StreamMessage } from './answers.ts';
import type { Propagation } from './propagation.ts';
import { propagationQuery } from './queries.ts';
import { PropagateMessage } from './schema.ts';
import type { VideoService } from './service.ts';
import { messagesOf, type OnFailure } from './stream.ts';

/** Messages of the client that are no requests: each is `{"type": …}`. */
const ORDERS = ['cancel', 'pause', 'resume'] as const;
type Order = (typeof ORDERS)[number];

/** The connection under a socket. */
export interface Peer {
  /** @returns 0 where the text was dropped */
  send(text: string): number;
  /** Bytes that wait to be sent. */
  getBufferedAmount(): number;
  close(code: number, reason: string): void;
}

/** With more waiting to be sent the next frame is not begun. */
const MAX_BUFFERED = 64 << 10;

/** Requests that may wait on one connection. */
const MAX_WAITING = 16;

/** The buffer is also looked at without being told that it has emptied. */
const LOOK_AGAIN_MS = 250;

const POLICY_VIOLATION = 1008;
const TOO_SLOW = 1013;

/** One connection to `/api/v1/video/ws/propagate/{session_id}`: requests in turn, each with its messages. */
export class PropagationSocket {
  private last: Promise<void> = Promise.resolve();
  private waiting = 0;
  private current: Propagation | null = null;
  private isClosed = false;
  /** Whether an unknown session was told of. */
  private isRefused = false;
  private wake: (() => void) | null = null;
  /** A client that cannot keep its connection from being read says so itself. */
  private isPaused = false;

  constructor(
    private readonly peer: Peer,
    private readonly service: VideoService,
    private readonly session: string,
    private readonly onFailure: OnFailure,
  ) {}

  /** A session that is not there is told of at once; the client may not have asked yet. */
  open(): void {
    try {
      this.service.find(this.session);
    } catch (error) {
      this.isRefused = true;
      this.tell({ type: 'error', error: publicError(error).detail });
    }
  }

  receive(message: unknown): void {
    if (this.isRefused) {
      this.peer.close(POLICY_VIOLATION, 'no such session');
      return;
    }
    const order = orderIn(message);
    if (order) {
      this.obey(order);
      return;
    }
    if (this.waiting >= MAX_WAITING) {
      this.tell({ type: 'error', error: `more than ${MAX_WAITING} requests wait: read first` });
      return;
    }
    this.waiting++;
    this.last = this.last.then(() => this.answer(message)).finally(() => this.waiting--);
  }

  /** Without a propagation there is nothing to do, and nothing to say. */
  private obey(order: Order): void {
    this.isPaused = order === 'pause' && this.current !== null;
    if (order === 'cancel') this.current?.cancel();
    this.wake?.();
  }

  /** There is room to send again. */
  drain(): void {
    this.wake?.();
  }

  close(): void {
    this.isClosed = true;
    this.current?.cancel();
    this.wake?.();
  }

  private async answer(message: unknown): Promise<void> {
    if (this.isClosed) return;
    try {
      const fields = checkedFields(message);
      const propagation = this.service.propagate(
        this.session,
        propagationQuery(fields, { isWhole: false }),
      );
      this.current = propagation;
      const format = fields.mask_format ?? 'rle';
      for await (const one of messagesOf(propagation, format, this.onFailure)) {
        await this.send(one);
        if (this.isClosed) break;
      }
    } catch (error) {
      const { detail, isOurs } = publicError(error);
      if (isOurs) this.onFailure(error);
      this.tell({ type: 'error', error: detail });
    } finally {
      this.current = null;
      this.isPaused = false;
    }
  }

  /** Sends, and waits for a slow reader. */
  private async send(message: StreamMessage): Promise<void> {
    this.tell(message);
    // After the last one there is nothing to hold back.
    if (message.type !== 'frame') this.isPaused = false;
    while (this.mustWait()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.wake = resolve;
      const timer = setTimeout(resolve, LOOK_AGAIN_MS);
      await promise;
      clearTimeout(timer);
    }
    this.wake = null;
  }

  private mustWait(): boolean {
    return !this.isClosed && (this.isPaused || this.peer.getBufferedAmount() > MAX_BUFFERED);
  }

  private tell(message: StreamMessage): void {
    if (this.isClosed) return;
    // A stream with a gap would be worse than none.
    if (this.peer.send(JSON.stringify(message)) === 0) {
      this.peer.close(TOO_SLOW, 'a message did not fit the buffer');
      this.close();
    }
  }
}

/** @throws HttpError 422 */
function checkedFields(message: unknown): PropagateMessage {
  if (message === null || typeof message !== 'object' || Array.isArray(message)) {
    throw new HttpError(422, 'expected a JSON object such as {"direction": "forward"}');
  }
  const fields = plainFields(message as Record<string, unknown>);
  if (fields.type !== undefined) {
    throw new HttpError(422, `type: expected ${ORDERS.join(', ')}, or none for a request`);
  }
  const problem = Value.Errors(PropagateMessage, fields).First();
  if (problem) throw new HttpError(422, describeProblem(problem));
  return fields as PropagateMessage;
}

function orderIn(message: unknown): Order | undefined {
  if (typeof message !== 'object' || message === null || !('type' in message)) return undefined;
  return ORDERS.find((order) => order === message.type);
}
