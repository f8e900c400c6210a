import { segmentVitlFolder } from '../graphs.ts';
import type { BenchContext } from '../measurement.ts';
import { type Ask, askRequest, FreshScenes, SCENE_SIZE, SEPARATE, TOGETHER } from '../scenes.ts';
import { type Send, timeOne, withApp } from '../senders.ts';
import { statisticsOf } from '../statistics.ts';

const STAGE = 'cached-features';
/** A round of a ViT-L takes half a minute on two cores. */
const ROUNDS = 5;
const AT_LEAST = 5;
/** Seconds; a busy processor may take long for a ViT-L. */
const PATIENCE = { watchdogSeconds: '600', queueTimeoutSeconds: '600' };

interface Encoder {
  readonly name: string;
  readonly flags: () => Promise<Readonly<Record<string, string>>>;
  readonly notes: string;
}

const ENCODERS: readonly Encoder[] = [
  { name: 'segment-mini', flags: async () => ({}), notes: '' },
  {
    name: 'ViT-L 518x518',
    flags: async () => ({ sam3Checkpoint: await segmentVitlFolder(), ...PATIENCE }),
    notes: `at least ${AT_LEAST}`,
  },
];

/**
 * Ten texts on a fresh picture in one request, against ten requests of one text each on a fresh
 * picture each. The encoder is the embedded one, or a ViT-L of true size with random weights before
 * the embedded decoders.
 */
export async function run(context: BenchContext): Promise<void> {
  for (const { name, flags, notes } of ENCODERS) {
    const title = `${name} ${SCENE_SIZE}`;
    if (!context.wants(STAGE, title)) continue;
    const given = { device: context.device, ...(await flags()) };
    await withApp(given, (send) => measure(context, title, send, notes));
  }
}

async function measure(
  context: BenchContext,
  title: string,
  send: Send,
  notes: string,
): Promise<void> {
  const scenes = new FreshScenes();
  const ask = async (one: Ask) => (await timeOne(askRequest(one, await scenes.next()), send)).total;
  // The graphs are opened, and their first runs are slower.
  for (const one of [SEPARATE[0], TOGETHER]) await ask(one);
  const together: number[] = [];
  const separate: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    together.push(await ask(TOGETHER));
    let sum = 0;
    for (const one of SEPARATE) sum += await ask(one);
    separate.push(sum);
  }
  context.report(STAGE, `${title}: ${TOGETHER.name} at once`, together);
  context.report(STAGE, `${title}: ${SEPARATE.length} requests`, separate, 'a fresh picture each');
  const ratios = separate.map((ms, round) => ms / together[round]);
  const statistics = statisticsOf(ratios);
  context.reportValue(STAGE, `${title}: times faster`, { ...statistics, unit: 'x', notes });
}
