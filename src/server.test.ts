/** The server on a real port, as its clients see it. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import sharp from 'sharp';
import { readConfig } from './config.ts';
import { type RunningServer, startServer } from './server.ts';

let server: RunningServer;
let body: string;

beforeAll(async () => {
  const flags = { device: 'cpu', threads: '1', host: '127.0.0.1', port: '0' };
  server = await startServer(readConfig(flags, {}));
  const create = { width: 640, height: 480, channels: 3 as const, background: '#705030' };
  const image = (await sharp({ create }).jpeg().toBuffer()).toString('base64');
  body = JSON.stringify({ image, model_input_size: 1036 });
});
afterAll(() => server.stop());

function ask(signal?: AbortSignal): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(new URL('metric_depth', server.url), { method: 'POST', headers, body, signal });
}

async function queueLength(): Promise<number> {
  const health = (await (await fetch(new URL('health', server.url))).json()) as {
    queue_length: number;
  };
  return health.queue_length;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await Bun.sleep(1);
}

test('a client that disconnects takes its waiting request with it', async () => {
  // The first occupies the engine; the others wait, as two batches could not hold them all.
  const running = ask();
  const gone = new AbortController();
  const waiting = Array.from({ length: 30 }, () => ask(gone.signal).catch(() => null));
  await until(async () => (await queueLength()) >= 12);
  gone.abort();
  await until(async () => (await queueLength()) === 0);
  expect((await running).status).toBe(200);
  expect(
    (await Promise.all(waiting)).filter((response) => response === null).length,
  ).toBeGreaterThan(10);
  expect((await ask()).status).toBe(200);
});

test('the docs page is there, with its scripts, from this server alone', async () => {
  const page = await (await fetch(new URL('docs', server.url))).text();
  const paths = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path);
  expect(paths).toHaveLength(2);
  for (const path of paths) {
    const response = await fetch(new URL(path, server.url));
    expect([path, response.status]).toEqual([path, 200]);
    expect((await response.bytes()).length).toBeGreaterThan(10_000);
  }
  expect((await fetch(new URL('docs/ui/package.json', server.url))).status).toBe(404);
});

/** The first line of the answer to a request as it is written here, on a socket of its own. */
async function raw(port: number, request: string): Promise<string> {
  let answer = '';
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port,
    socket: {
      data: (_socket, data) => {
        answer += data.toString();
        resolve();
      },
      close: () => resolve(),
      error: () => resolve(),
    },
  });
  socket.write(request);
  await promise;
  socket.end();
  return answer.split('\r\n')[0];
}

test('no spelling of host or path gets past the key', async () => {
  const flags = { device: 'cpu', host: '127.0.0.1', port: '0', apiKey: 'secret' };
  const locked = await startServer(readConfig(flags, {}));
  const port = Number(locked.url.port);
  const routes = ['metric_depth', 'rel_depth', 'pc'];
  const prefixes = ['/', '//', '/docs/', '/docs/../', '/health/', '/health/../', '/%2e/', '/DOCS/'];
  const hosts = ['', 'a', 'ab', 'abc', 'abcd', '[', 'a/docs/', '127.0.0.1'];
  for (const host of hosts) {
    for (const prefix of prefixes) {
      for (const route of routes) {
        const head = `POST ${prefix}${route} HTTP/1.1\r\nHost: ${host}\r\n`;
        const type = 'Content-Type: application/json\r\nContent-Length: 2\r\n';
        const status = (await raw(port, `${head}${type}Connection: close\r\n\r\n{}`)).split(' ')[1];
        // 422 would be the answer of somebody who is in.
        expect([host, prefix, route, ['400', '401', '404'].includes(status)]).toEqual([
          host,
          prefix,
          route,
          true,
        ]);
      }
    }
  }
  await locked.stop();
});

test('a port that is taken is refused with a message', async () => {
  const flags = { device: 'cpu', host: '127.0.0.1', port: server.url.port };
  await expect(startServer(readConfig(flags, {}))).rejects.toThrow(/port|use/i);
});
