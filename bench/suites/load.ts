import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import autocannon from 'autocannon';
import { type BenchRequest, benchRequest } from '../bodies.ts';
import type { BenchContext } from '../measurement.ts';
import { startServerProcess } from '../server_client.ts';

const STAGE = 'load';
const CLIENTS = [1, 8, 64];
const SECONDS = 8;
/** Before anything is counted: the model is opened and the code compiled. */
const WARM_UP_SECONDS = 3;
/** A path, which is how client threads take it too; autocannon's types know only the function. */
const DISCARD_BODIES = join(import.meta.dir, '../discard_bodies.cts');
/** The client reads answers of a megabyte in JavaScript: where there are cores, on several. */
const MAX_CLIENT_THREADS = Math.floor(availableParallelism() / 4);

/** Requests per second and their latency, with 1, 8 and 64 clients that ask without a pause. */
export async function run(context: BenchContext): Promise<void> {
  const requests = await Promise.all(
    ['application/json', 'application/octet-stream'].map((accept) =>
      benchRequest({ path: '/metric_depth', accept }),
    ),
  );
  const wanted = requests.filter(({ name }) => context.wants(STAGE, name));
  if (wanted.length === 0) return;
  const server = await startServerProcess(context.device);
  for (const request of wanted) {
    await cannonade(server.url, request, 2, WARM_UP_SECONDS);
    for (const clients of CLIENTS) {
      const result = await cannonade(server.url, request, clients, SECONDS);
      reportLoad(context, `${request.name} ${clients} clients`, result);
    }
  }
  await server.stop();
}

function cannonade(
  url: string,
  { path, init }: BenchRequest,
  connections: number,
  duration: number,
): Promise<autocannon.Result> {
  const workers = Math.min(connections, MAX_CLIENT_THREADS);
  return autocannon({
    url: `${url}${path}`,
    ...init,
    connections,
    duration,
    timeout: 120,
    setupClient: DISCARD_BODIES as never,
    ...(workers > 1 && { workers }),
  });
}

function reportLoad(context: BenchContext, title: string, result: autocannon.Result): void {
  const { requests, latency, duration } = result;
  const n = result['2xx'];
  const failed = result.errors + result.timeouts + result.non2xx;
  const notes = `${failed} failed of ${requests.sent} sent in ${duration} s`;
  context.reportValue(STAGE, `${title}: rate`, { median: n / duration, n, unit: '1/s', notes });
  const { p50: median, min, p25, p75, p99 } = latency;
  context.reportValue(STAGE, `${title}: latency`, { median, min, p25, p75, n });
  context.reportValue(STAGE, `${title}: p99`, { median: p99, n });
}
