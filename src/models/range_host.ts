import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as the host saw it. */
export interface SeenRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** How the host treats one request; without one it serves the file as a good server does. */
export type Behaviour = (
  request: IncomingMessage,
  response: ServerResponse,
  host: RangeHost,
) => void;

/**
 * A real HTTP server on 127.0.0.1 for the download tests: it serves one file with ETag, Range and
 * If-Range, and misbehaves as told, one scripted behaviour a request.
 */
export class RangeHost {
  readonly seen: SeenRequest[] = [];
  readonly script: Behaviour[] = [];
  etag: string | undefined = '"one"';
  extraHeaders: Record<string, string> = {};
  private readonly server = createServer((request, response) => this.handle(request, response));

  constructor(public bytes: Uint8Array) {}

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  /** @param name another name of the same machine, to be another origin */
  origin(name = '127.0.0.1'): string {
    return `http://${name}:${(this.server.address() as AddressInfo).port}`;
  }

  /** The whole file, or the range asked for if `If-Range` still holds. */
  serve(request: IncomingMessage, response: ServerResponse): void {
    const { range, 'if-range': condition } = request.headers;
    const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const total = this.bytes.byteLength;
    const headers = { ...(this.etag && { etag: this.etag }), ...this.extraHeaders };
    if (range === undefined || (condition !== undefined && condition !== this.etag)) {
      response.writeHead(200, { ...headers, 'content-length': total }).end(this.bytes);
    } else if (start >= total) {
      response.writeHead(416, { 'content-range': `bytes */${total}` }).end();
    } else {
      const body = this.bytes.subarray(start);
      response.writeHead(206, {
        ...headers,
        'content-length': body.byteLength,
        'content-range': `bytes ${start}-${total - 1}/${total}`,
      });
      response.end(body);
    }
  }

  private handle(request: IncomingMessage, response: ServerResponse): void {
    this.seen.push({
      path: request.url ?? '',
      headers: request.headers as Record<string, string | undefined>,
    });
    const behaviour = this.script.shift();
    if (behaviour) behaviour(request, response, this);
    else this.serve(request, response);
  }
}

/** Sends `count` bytes of what is due and drops the connection. */
export function dropAfter(count: number): Behaviour {
  return (request, response, host) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const total = host.bytes.byteLength;
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': total - start,
      ...(host.etag && { etag: host.etag }),
      ...host.extraHeaders,
      ...(start > 0 && { 'content-range': `bytes ${start}-${total - 1}/${total}` }),
    });
    response.write(host.bytes.subarray(start, start + count), () =>
      // The bytes must leave before the socket is torn down, or there is nothing to resume.
      setTimeout(() => response.socket?.destroy(), 20),
    );
  };
}

export function answerStatus(status: number, headers: Record<string, string> = {}): Behaviour {
  return (_request, response) => {
    response.writeHead(status, headers).end(`status ${status}`);
  };
}

export function redirectTo(location: string, headers: Record<string, string> = {}): Behaviour {
  return answerStatus(302, { location, ...headers });
}
