import { createApp } from '../src/app.ts';
import { serverStages } from '../src/client/index.ts';
import { readConfig } from '../src/config.ts';
import { createServer } from '../src/server.ts';
import type { BenchRequest } from './bodies.ts';
import { startServerProcess } from './server_client.ts';

/** Sends a request; the answer's body is still to be read. */
export type Send = (request: BenchRequest) => Promise<Response>;

/** The whole server within this process, without a port. */
export async function withApp(
  flags: Readonly<Record<string, string>>,
  use: (send: Send) => Promise<void>,
): Promise<void> {
  const parts = await createServer(readConfig(flags, {}));
  const app = createApp(parts);
  try {
    await use(({ path, init }) => app.handle(new Request(`http://localhost${path}`, init)));
  } finally {
    parts.close();
  }
}

/** A server in a process of its own, over loopback. */
export async function withServer(
  device: string,
  use: (send: Send) => Promise<void>,
): Promise<void> {
  const server = await startServerProcess(device);
  try {
    await use(({ path, init }) => fetch(`${server.url}${path}`, init));
  } finally {
    await server.stop();
  }
}

/** An answer that was read whole, with what it took. */
export interface TimedAnswer {
  readonly body: ArrayBuffer;
  /** Milliseconds from sending to the answer's last byte. */
  readonly total: number;
  /** Milliseconds by stage, as the server says. */
  readonly stages: Readonly<Record<string, number>>;
}

/** @throws Error for an answer that is no success */
export async function timeOne(request: BenchRequest, send: Send): Promise<TimedAnswer> {
  const started = performance.now();
  const response = await send(request);
  const body = await response.arrayBuffer();
  const total = performance.now() - started;
  if (!response.ok) {
    const detail = new TextDecoder().decode(body).slice(0, 200);
    throw new Error(`${request.name}: ${response.status} ${detail}`);
  }
  const stages = serverStages(response.headers).map(({ name, milliseconds }) => [
    name,
    milliseconds,
  ]);
  return { body, total, stages: Object.fromEntries(stages) };
}

/** Milliseconds by part of a request, over all its runs. */
export class PartSeries {
  readonly parts = new Map<string, number[]>();

  add(times: Readonly<Record<string, number>>): void {
    for (const [name, ms] of Object.entries(times)) {
      const known = this.parts.get(name);
      if (known) known.push(ms);
      else this.parts.set(name, [ms]);
    }
  }
}
