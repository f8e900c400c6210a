import { type BenchRequest, benchRequest } from '../bodies.ts';
import type { BenchContext } from '../measurement.ts';
import { PartSeries, type Send, timeOne, withApp, withServer } from '../senders.ts';

const WARM_UP = 30;
const ROUNDS = 60;
/** Milliseconds that everything but inference may take. */
const BOUNDS: Readonly<Record<string, number>> = { JSON: 30, raw: 20 };

/** Whole requests, one at a time: within the process, and over loopback to another one. */
export async function run(context: BenchContext): Promise<void> {
  const requests = await Promise.all(
    (['/metric_depth', '/pc'] as const).flatMap((path) =>
      ['application/json', 'application/octet-stream'].map((accept) =>
        benchRequest({ path, accept }),
      ),
    ),
  );
  const { device } = context;
  await withApp({ device }, (send) => measure(context, 'request', requests, send));
  await withServer(device, (send) => measure(context, 'request http', requests, send));
}

/** All kinds of request in turn, so that they share what else the machine does. */
async function measure(
  context: BenchContext,
  stage: string,
  all: readonly BenchRequest[],
  send: Send,
): Promise<void> {
  const requests = all.filter(({ name }) => context.wants(stage, name));
  const series = new Map(requests.map(({ name }) => [name, new PartSeries()]));
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (const request of round % 2 === 0 ? requests : requests.toReversed()) {
      const times = await timesOf(request, send);
      if (round >= 0) series.get(request.name)!.add(times);
    }
  }
  for (const [name, { parts }] of series) {
    for (const [part, values] of parts) {
      const bound = part === 'all but inference' && name.startsWith('/metric');
      const notes = bound ? `at most ${BOUNDS[name.split(' ').at(-1)!]} ms` : '';
      context.report(stage, `${name}: ${part}`, values, notes);
    }
  }
}

/** The client's time, what of it was not inference, and the server's stages. */
async function timesOf(request: BenchRequest, send: Send): Promise<Record<string, number>> {
  const { total, stages } = await timeOne(request, send);
  const known = Object.values(stages).reduce((sum, ms) => sum + ms, 0);
  return {
    total,
    'all but inference': total - stages.infer,
    ...stages,
    'outside the stages': total - known,
  };
}
