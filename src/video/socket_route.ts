import { Elysia } from 'elysia';
import { type Authentication, SUBPROTOCOL } from '../api/auth.ts';
import { HttpError } from '../api/errors.ts';
import { SessionPath } from './schema.ts';
import type { VideoService } from './service.ts';
import { type Peer, PropagationSocket } from './socket.ts';
import type { OnFailure } from './stream.ts';

interface SocketRouteParts {
  readonly service: VideoService;
  readonly keys: Authentication;
  readonly onFailure: OnFailure;
  /** Of pages on other hosts that may connect; `*` for all. */
  readonly origins: readonly string[];
}

/** WebSocket `/api/v1/video/ws/propagate/{session_id}`. */
export function videoSocketRoute({ service, keys, onFailure, origins }: SocketRouteParts) {
  // The framework makes a new wrapper for each event; the connection under it stays the same.
  const sockets = new WeakMap<object, PropagationSocket>();
  return new Elysia({ name: 'video-socket' })
    .use(keys)
    .onTransform({ as: 'local' }, ({ request }) => {
      requireOrigin(request.headers, origins);
      service.requireEnabled();
    })
    .ws('/api/v1/video/ws/propagate/:session_id', {
      params: SessionPath,
      detail: { hide: true },
      upgrade: ({ request, set }) => {
        const offered = request.headers.get('sec-websocket-protocol') ?? '';
        const isOffered = offered.split(',').some((one) => one.trim() === SUBPROTOCOL);
        if (isOffered) set.headers['sec-websocket-protocol'] = SUBPROTOCOL;
      },
      open({ raw, data }) {
        const peer: Peer = {
          send: (text) => raw.send(text),
          getBufferedAmount: () => bufferedAmount(raw),
          close: (code, reason) => raw.close(code, reason),
        };
        const id = data.params.session_id;
        const socket = new PropagationSocket(peer, service, id, onFailure);
        sockets.set(raw, socket);
        socket.open();
      },
      message({ raw }, message) {
        sockets.get(raw)?.receive(message);
      },
      drain({ raw }) {
        sockets.get(raw)?.drain();
      },
      close({ raw }) {
        sockets.get(raw)?.close();
      },
    });
}

/** Bun's sockets tell it; the framework's type of them leaves it out. */
function bufferedAmount(raw: object): number {
  if (!('getBufferedAmount' in raw) || typeof raw.getBufferedAmount !== 'function') return 0;
  return Number(raw.getBufferedAmount());
}

/**
 * Browsers let any page open a WebSocket, whatever the cross-origin rules say of requests: here they
 * hold for both. Other clients send no origin.
 *
 * @throws HttpError 403
 */
function requireOrigin(headers: Headers, origins: readonly string[]): void {
  const origin = headers.get('origin');
  if (origin === null || origins.includes('*') || origins.includes(origin)) return;
  const isOwn = URL.canParse(origin) && new URL(origin).host === headers.get('host');
  if (isOwn) return;
  throw new HttpError(403, 'pages of this origin may not connect: allow it with CORS_ORIGINS');
}
