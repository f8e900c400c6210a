import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { isIPv6, type LookupFunction } from 'node:net';

/** One GET, to one of the given addresses and nowhere else. */
export interface GetRequest {
  readonly url: URL;
  /** IP addresses to connect to, tried in order; the URL's host is never looked up. */
  readonly addresses: readonly string[];
  readonly accept: string;
  readonly signal: AbortSignal;
  /** PEM certificates to trust in place of the system's. */
  readonly ca?: string;
}

/**
 * Sends one GET and resolves when the head of the answer has arrived; the body is still to read.
 *
 * node:http rather than `fetch`: Bun's `fetch` has no lookup hook and goes through HTTP_PROXY when
 * that is set, so that the connection would not go to the checked address. Here the Host header,
 * TLS server name and certificate check are those of the URL while the connection goes to
 * `addresses`. Redirects aren't followed and no connection is kept or reused.
 */
export function httpGet(request: GetRequest): Promise<IncomingMessage> {
  const { url, addresses, accept, signal, ca } = request;
  const { get } = url.protocol === 'https:' ? https : http;
  const headers = { accept, 'accept-encoding': 'identity', 'user-agent': 'triptych' };
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const sent = get(url, { agent: false, lookup: answerWith(addresses), headers, ca });
    const abort = () => sent.destroy(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    sent.once('close', () => signal.removeEventListener('abort', abort));
    sent.once('response', (answer) => {
      // A body that is dropped unread would otherwise raise its abort as an uncaught error.
      answer.on('error', () => {});
      resolve(answer);
    });
    // Stays attached: an error after the head has arrived is reported by the body as well.
    sent.on('error', reject);
  });
}

function answerWith(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
  return (_hostname, options, callback) => {
    if (options.all) callback(null, found);
    else callback(null, found[0].address, found[0].family);
  };
}

/** A body ran past its cap. */
export class BodyTooLargeError extends Error {}

/**
 * A body as it arrives, to its end.
 *
 * @throws {BodyTooLargeError} As soon as the declared or the received size passes `maxBytes`.
 * @throws The connection's error, or the signal's reason.
 */
export async function* bodyChunks(
  body: IncomingMessage,
  maxBytes: number,
): AsyncGenerator<Buffer, void, undefined> {
  const declared = Number(body.headers['content-length'] ?? 0);
  if (declared > maxBytes) throw new BodyTooLargeError(`declares ${declared} bytes`);
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new BodyTooLargeError(`sent more than ${maxBytes} bytes`);
    yield chunk;
  }
  if (!body.complete) throw new Error('the connection closed before the end of the body');
}
