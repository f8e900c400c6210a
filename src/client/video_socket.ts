import type { StreamMessage } from '../video/answers.ts';
import { type ClientOptions, DEFAULT_TIMEOUT, endpoint } from './connection.ts';
import { NoAnswerError, PropagationError } from './errors.ts';
import { getSessionStatus, streamPath } from './video.ts';

/** With as many messages unread the server is asked to wait, with as few to go on. */
const MOST_UNREAD = 8;
const FEW_UNREAD = 2;

/** Timers hold 31 bits. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** One propagation over a WebSocket. */
export class FrameSocket {
  private readonly unread: StreamMessage[] = [];
  private isPaused = false;
  /** Whether its last message has come. */
  private hasEnded = false;
  private isLeaving = false;
  private failure: { readonly reason: unknown } | null = null;
  /** Called when something has changed. */
  private wake: () => void = () => {};

  private constructor(
    private readonly socket: WebSocket,
    private readonly signal: AbortSignal | undefined,
    private readonly timeout: number,
  ) {
    socket.addEventListener('message', ({ data }) => this.receive(data));
    socket.addEventListener('close', ({ reason }) => this.fail(broken(socket.url, reason)));
    // Where a connection is refused, Node tells of no close.
    socket.addEventListener('error', () => this.fail(broken(socket.url, '')));
    signal?.addEventListener('abort', this.abort);
  }

  /**
   * @throws ApiError, NoAnswerError when it is not accepted
   * @throws TypeError for a `baseUrl` that is not an http(s) URL
   */
  static async open(session: string, options: ClientOptions): Promise<FrameSocket> {
    const { baseUrl, apiKey, signal, timeout = DEFAULT_TIMEOUT } = options;
    signal?.throwIfAborted();
    const url = endpoint(baseUrl, streamPath(session));
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const connection = new WebSocket(url.href, apiKey ? ['triptych', carrierOf(apiKey)] : []);
    const socket = new FrameSocket(connection, signal, timeout);
    connection.addEventListener('open', () => socket.wake());
    try {
      await socket.until(() => socket.isOpen);
    } catch (error) {
      socket.close();
      if (signal?.aborted) throw signal.reason;
      // A WebSocket does not say why it was refused; a request does.
      await getSessionStatus(session, options);
      throw error;
    }
    return socket;
  }

  send(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  /** @throws NoAnswerError when the connection breaks or nothing comes; the signal's reason */
  async next(): Promise<StreamMessage> {
    this.signal?.throwIfAborted();
    await this.until(() => this.unread.length > 0);
    const message = this.unread.shift() as StreamMessage;
    if (this.isPaused && this.unread.length <= FEW_UNREAD) {
      this.isPaused = false;
      if (!this.hasEnded && this.isOpen) this.send({ type: 'resume' });
    }
    return message;
  }

  /** Ends the propagation where it goes on, and the connection. */
  async leave(): Promise<void> {
    this.isLeaving = true;
    if (!this.hasEnded && this.isOpen) {
      this.send({ type: 'cancel' });
      // What breaks now breaks what is not wanted any more.
      await this.until(() => this.hasEnded).catch(() => {});
    }
    this.close();
  }

  private close(): void {
    this.signal?.removeEventListener('abort', this.abort);
    this.socket.close();
  }

  private get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  private readonly abort = (): void => {
    this.fail(this.signal?.reason);
    this.socket.close();
  };

  private receive(data: unknown): void {
    const message = readMessage(data);
    if (message === null) {
      this.fail(new PropagationError(`${this.socket.url} sent what is no message of this server`));
      this.socket.close();
      return;
    }
    this.hasEnded ||= message.type !== 'frame';
    if (!this.isLeaving) this.unread.push(message);
    if (this.unread.length >= MOST_UNREAD && !this.isPaused && !this.hasEnded) {
      this.isPaused = true;
      this.send({ type: 'pause' });
    }
    this.wake();
  }

  private fail(reason: unknown): void {
    this.failure ??= { reason };
    this.wake();
  }

  /** Waits for a state; what has come before a failure counts. */
  private async until(isReached: () => boolean): Promise<void> {
    if (isReached()) return;
    const late = () => this.fail(tooLate(this.socket.url, this.timeout));
    const timer = setTimeout(late, Math.min(this.timeout, MAX_TIMER_MS));
    try {
      while (!isReached()) {
        if (this.failure) throw this.failure.reason;
        const { promise, resolve } = Promise.withResolvers<void>();
        this.wake = resolve;
        await promise;
      }
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The subprotocol that carries a key: a WebSocket of a page can set no header. */
function carrierOf(apiKey: string): string {
  const base64 = btoa(String.fromCharCode(...new TextEncoder().encode(apiKey)));
  return `bearer.${base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`;
}

function readMessage(data: unknown): StreamMessage | null {
  try {
    const message = JSON.parse(String(data));
    return ['frame', 'complete', 'error'].includes(message?.type) ? message : null;
  } catch {
    return null;
  }
}

function broken(url: string, reason: string): NoAnswerError {
  const why = reason ? ` (${reason})` : '';
  const message = `the connection to ${url} was refused or broke${why}; check that the server runs, and that what lies between lets WebSockets through`;
  return new NoAnswerError('unreachable', message);
}

function tooLate(url: string, timeout: number): NoAnswerError {
  const message = `nothing came from ${url} within ${timeout} ms; a larger timeout may help`;
  return new NoAnswerError('timeout', message);
}
