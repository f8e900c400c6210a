import { propagateStream } from '../../src/client/index.ts';
import { missingFfmpeg } from '../../test/ffmpeg.ts';
import type { BenchContext } from '../measurement.ts';
import { type SessionServer, withSession } from '../sessions.ts';
import { quantile } from '../statistics.ts';

const STAGE = 'session';
const NAME = 'while two objects are followed';
const PATHS = {
  '/health': () => 'health',
  status: (session: string) => `api/v1/video/session/${session}/status`,
} as const;
/** Questions of each kind: a 99th percentile needs some hundreds. */
const QUESTIONS = 300;
/** Pause between two questions, so that they do not become a load of their own. */
const PAUSE_MS = 5;
const FRAMES = 200;

/** How long `/health` and a session's status take while it propagates, and the time a frame. */
export async function run(context: BenchContext): Promise<void> {
  if (!context.wants(STAGE, NAME)) return;
  if (missingFfmpeg !== null) {
    console.warn(`SKIPPED sessions: ${missingFfmpeg}`);
    return;
  }
  await withSession(context.device, FRAMES, (opened) => measure(context, opened));
}

async function measure(context: BenchContext, opened: SessionServer): Promise<void> {
  const { server, session, size } = opened;
  const options = { baseUrl: server.url };
  const frames: number[] = [];
  let isAsking = true;
  const work = (async () => {
    while (isAsking) {
      let last = performance.now();
      for await (const _ of propagateStream(session, { direction: 'forward' }, options)) {
        frames.push(performance.now() - last);
        last = performance.now();
        if (!isAsking) break;
      }
    }
  })();
  const times = await questions(opened).finally(() => {
    isAsking = false;
  });
  await work;
  context.report(STAGE, `a frame of ${size}, two objects, tiny graphs`, frames);
  for (const [kind, series] of times) {
    context.report(STAGE, `${kind} ${NAME}`, series);
    const p99 = quantile(series.toSorted(ascending), 0.99);
    const value = { median: p99, n: series.length, notes: 'at most 20 ms' };
    context.reportValue(STAGE, `${kind} ${NAME}: p99`, value);
  }
}

/** Milliseconds by kind of question. */
async function questions({ server, session }: SessionServer): Promise<Map<string, number[]>> {
  const times = new Map<string, number[]>(Object.keys(PATHS).map((kind) => [kind, []]));
  for (let i = 0; i < QUESTIONS; i++) {
    for (const [kind, path] of Object.entries(PATHS)) {
      const started = performance.now();
      const response = await fetch(`${server.url}/${path(session)}`);
      await response.json();
      if (!response.ok) throw new Error(`${kind}: ${response.status}`);
      times.get(kind)?.push(performance.now() - started);
      await Bun.sleep(PAUSE_MS);
    }
  }
  return times;
}

const ascending = (a: number, b: number) => a - b;
