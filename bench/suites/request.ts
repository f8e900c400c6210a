import { createApp } from '../../src/app.ts';
import { serverStages } from '../../src/client/index.ts';
import { readConfig } from '../../src/config.ts';
import { createServer } from '../../src/server.ts';
import { type BenchRequest, benchRequest } from '../bodies.ts';
import type { BenchContext } from '../measurement.ts';
import { startServerProcess } from '../server_client.ts';

const WARM_UP = 30;
const ROUNDS = 60;
/** Milliseconds that everything but inference may take. */
const BOUNDS: Readonly<Record<string, number>> = { JSON: 30, raw: 20 };

/** Sends a request and reads the whole answer. */
type Send = (request: BenchRequest) => Promise<Response>;

/** Whole requests, one at a time: within the process, and over loopback to another one. */
export async function run(context: BenchContext): Promise<void> {
  const requests = await Promise.all(
    (['/metric_depth', '/pc'] as const).flatMap((path) =>
      ['application/json', 'application/octet-stream'].map((accept) =>
        benchRequest({ path, accept }),
      ),
    ),
  );
  await withApp(context.device, (send) => measure(context, 'request', requests, send));
  await withServer(context.device, (send) => measure(context, 'request http', requests, send));
}

async function withApp(device: string, use: (send: Send) => Promise<void>): Promise<void> {
  const parts = await createServer(readConfig({ device }, {}));
  const app = createApp(parts);
  try {
    await use(({ path, init }) => app.handle(new Request(`http://localhost${path}`, init)));
  } finally {
    parts.close();
  }
}

async function withServer(device: string, use: (send: Send) => Promise<void>): Promise<void> {
  const server = await startServerProcess(device);
  try {
    await use(({ path, init }) => fetch(`${server.url}${path}`, init));
  } finally {
    await server.stop();
  }
}

/** All kinds of request in turn, so that they share what else the machine does. */
async function measure(
  context: BenchContext,
  stage: string,
  all: readonly BenchRequest[],
  send: Send,
): Promise<void> {
  const requests = all.filter(({ name }) => context.wants(stage, name));
  const series = new Map(requests.map(({ name }) => [name, new Map<string, number[]>()]));
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (const request of round % 2 === 0 ? requests : requests.toReversed()) {
      const times = await timeOne(request, send);
      if (round >= 0) append(series.get(request.name)!, times);
    }
  }
  for (const [name, stages] of series) {
    for (const [part, values] of stages) {
      const bound = part === 'all but inference' && name.startsWith('/metric');
      const notes = bound ? `at most ${BOUNDS[name.split(' ').at(-1)!]} ms` : '';
      context.report(stage, `${name}: ${part}`, values, notes);
    }
  }
}

/** The client's time, what of it was not inference, and the server's stages. */
async function timeOne(request: BenchRequest, send: Send): Promise<Record<string, number>> {
  const started = performance.now();
  const response = await send(request);
  await response.arrayBuffer();
  const total = performance.now() - started;
  if (!response.ok) throw new Error(`${request.name}: ${response.status}`);
  const stages = Object.fromEntries(
    serverStages(response.headers).map(({ name, milliseconds }) => [name, milliseconds]),
  );
  const known = Object.values(stages).reduce((sum, ms) => sum + ms, 0);
  return {
    total,
    'all but inference': total - stages.infer,
    ...stages,
    'outside the stages': total - known,
  };
}

function append(stages: Map<string, number[]>, times: Record<string, number>): void {
  for (const [name, ms] of Object.entries(times)) {
    const known = stages.get(name);
    if (known) known.push(ms);
    else stages.set(name, [ms]);
  }
}
