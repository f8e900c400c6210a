import { type BenchRequest, benchRequest } from '../bodies.ts';
import type { BenchContext } from '../measurement.ts';
import { startServerProcess } from '../server_client.ts';
import { statisticsOf } from '../statistics.ts';

const STAGE = 'memory';
/** Small, so that a thousand are soon done: what leaks per request leaks all the same. */
const INPUT_SIZE = 140;
const MEBI = 2 ** 20;
/** A process's memory depends on chance, too. */
const SERVERS = 3;
/** Requests after which it is measured; what grows to the last is a leak, not a start. */
const STOPS = [100, 1000, 2000];
const NOTES = 'resident after forced collections on both threads';

/** Resident memory of servers after so many requests of all kinds of answer. */
export async function run(context: BenchContext): Promise<void> {
  const title = `640x480 input ${INPUT_SIZE}`;
  if (!context.wants(STAGE, title)) return;
  const requests = await Promise.all(
    [
      ['/metric_depth', 'application/json'] as const,
      ['/metric_depth', 'application/octet-stream'] as const,
      ['/metric_depth', 'image/png'] as const,
      ['/pc', 'application/json'] as const,
      ['/pc', 'model/ply'] as const,
    ].map(([path, accept]) => benchRequest({ path, accept, modelInputSize: INPUT_SIZE })),
  );
  const servers: number[][] = [];
  for (let i = 0; i < SERVERS; i++) servers.push(await measure(context.device, requests));
  for (const [index, stop] of STOPS.entries()) {
    const bytes = statisticsOf(servers.map((readings) => readings[index] / MEBI));
    context.reportValue(STAGE, `${title}: after ${stop}`, { ...bytes, unit: 'MiB', notes: NOTES });
    if (index === 0) continue;
    const growth = servers.map((readings) => (readings[index] / readings[index - 1] - 1) * 100);
    context.reportValue(STAGE, `${title}: growth from ${STOPS[index - 1]} to ${stop}`, {
      ...statisticsOf(growth),
      unit: '%',
      notes: 'at most 5 %',
    });
  }
}

/** Resident bytes of one server at each stop. */
async function measure(device: string, requests: readonly BenchRequest[]): Promise<number[]> {
  const server = await startServerProcess(device);
  const readings: number[] = [];
  let sent = 0;
  for (const stop of STOPS) {
    await sendInTurn(server.url, requests, stop - sent);
    sent = stop;
    readings.push(await server.rssBytes());
  }
  await server.stop();
  return readings;
}

async function sendInTurn(
  url: string,
  requests: readonly BenchRequest[],
  count: number,
): Promise<void> {
  for (let i = 0; i < count; i++) {
    const { path, init, name } = requests[i % requests.length];
    const response = await fetch(`${url}${path}`, init);
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`${name}: ${response.status}`);
  }
}
