import { propagateStream } from '../../src/client/index.ts';
import { missingFfmpeg } from '../../test/ffmpeg.ts';
import type { BenchContext } from '../measurement.ts';
import { type SessionServer, withSession } from '../sessions.ts';
import { statisticsOf } from '../statistics.ts';

const STAGE = 'session memory';
const MEBI = 2 ** 20;
/** Frames of a first propagation: compilers and allocators settle in a process's first ones. */
const WARM_UP = 500;
/** Frames of the second one at which it is measured. */
const STOPS = [100, 1000];
/** A process's memory depends on chance, too. */
const SERVERS = 3;
const NOTES = `resident after forced collections on both threads; after ${WARM_UP} other frames`;

/** Resident memory of servers in the middle of a long propagation. */
export async function run(context: BenchContext): Promise<void> {
  if (missingFfmpeg !== null) {
    console.warn(`SKIPPED session-memory: ${missingFfmpeg}`);
    return;
  }
  const readings: number[][] = [];
  let size = '';
  for (let i = 0; i < SERVERS; i++) {
    await withSession(context.device, Math.max(...STOPS) + 1, async (opened) => {
      size = opened.size;
      readings.push(await measure(opened));
    });
  }
  const title = `${size}, two objects`;
  for (const [i, stop] of STOPS.entries()) {
    const bytes = statisticsOf(readings.map((one) => one[i] / MEBI));
    context.reportValue(STAGE, `${title}: at frame ${stop}`, {
      ...bytes,
      unit: 'MiB',
      notes: NOTES,
    });
  }
  const growth = statisticsOf(readings.map(([first, last]) => (last / first - 1) * 100));
  const name = `${title}: growth from frame ${STOPS.join(' to ')}`;
  context.reportValue(STAGE, name, { ...growth, unit: '%', notes: 'at most 5 %' });
}

/** Resident bytes of one server at each stop. */
async function measure({ server, session }: SessionServer): Promise<number[]> {
  const options = { baseUrl: server.url };
  const follow = (max_frames: number) =>
    propagateStream(session, { direction: 'forward', max_frames }, options);
  for await (const _ of follow(WARM_UP));
  const bytes: number[] = [];
  for await (const { frame_index } of follow(Math.max(...STOPS) + 1)) {
    // The server waits meanwhile, in the middle of its work.
    if (STOPS.includes(frame_index)) bytes.push(await server.rssBytes());
  }
  return bytes;
}
