/** A client of the WebSocket, for tests. */
import type { StreamMessage } from './answers.ts';
import type { VideoServer } from './server_fixture.ts';

export interface SocketClient {
  readonly socket: WebSocket;
  /** The next message, in order. */
  next(): Promise<StreamMessage>;
  /** All up to one that is no frame. */
  rest(): Promise<StreamMessage[]>;
  send(message: unknown): void;
  close(): void;
}

export const socketUrl = ({ url }: VideoServer, id: string) =>
  new URL(`/api/v1/video/ws/propagate/${id}`, url).href.replace(/^http/, 'ws');

export async function connect(
  server: VideoServer,
  id: string,
  options?: string[] | { headers: Record<string, string> },
): Promise<SocketClient> {
  // Bun's socket takes headers, a page's does not.
  const socket = new WebSocket(socketUrl(server, id), options as string[]);
  const arrived: StreamMessage[] = [];
  const waiting: ((message: StreamMessage) => void)[] = [];
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(String(data)) as StreamMessage;
    const taker = waiting.shift();
    if (taker) taker(message);
    else arrived.push(message);
  };
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error('the socket did not open'));
  });
  const next = () => {
    const message = arrived.shift();
    if (message) return Promise.resolve(message);
    const { promise, resolve } = Promise.withResolvers<StreamMessage>();
    waiting.push(resolve);
    return promise;
  };
  return {
    socket,
    next,
    rest: async () => {
      const messages = [await next()];
      while (messages.at(-1)?.type === 'frame') messages.push(await next());
      return messages;
    },
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    close: () => socket.close(),
  };
}
