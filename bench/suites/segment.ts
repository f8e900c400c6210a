import type { BenchContext } from '../measurement.ts';
import { ASKS, type Ask, askRequest, FreshScenes, SCENE_SIZE, TOGETHER } from '../scenes.ts';
import {
  PartSeries,
  type Send,
  type TimedAnswer,
  timeOne,
  withApp,
  withServer,
} from '../senders.ts';

const WARM_UP = 20;
const ROUNDS = 50;
const CASES: readonly Ask[] = [...ASKS, TOGETHER];
/** Milliseconds that everything but the decoder may take when the picture's features are there. */
const BOUND_MS = 15;
const BOUND_PART = 'all but the decoder';
const SECOND_PROMPTS = ASKS.map(({ name }) => `${name} ${SCENE_SIZE} cached`);

/** Whole segmentation requests with the embedded model, on a picture that is new, then known. */
export async function run(context: BenchContext): Promise<void> {
  const { device } = context;
  await withApp({ device }, (send) => measure(context, 'segment request', send));
  await withServer(device, (send) => measure(context, 'segment request http', send));
}

/** Each kind in turn: a fresh picture, and at once the same picture again. */
async function measure(context: BenchContext, stage: string, send: Send): Promise<void> {
  const wanted = CASES.map((ask) => ({ ask, name: `${ask.name} ${SCENE_SIZE}` })).filter(
    ({ name }) => [`${name} fresh`, `${name} cached`].some((full) => context.wants(stage, full)),
  );
  const series = new Map<string, PartSeries>();
  for (const { name } of wanted) {
    for (const full of [`${name} fresh`, `${name} cached`]) series.set(full, new PartSeries());
  }
  const scenes = new FreshScenes();
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (const { ask, name } of round % 2 === 0 ? wanted : wanted.toReversed()) {
      const request = askRequest(ask, await scenes.next());
      const times = {
        [`${name} fresh`]: timesOf(await timeOne(request, send), false),
        [`${name} cached`]: timesOf(await timeOne(request, send), true),
      };
      if (round < 0) continue;
      for (const [full, parts] of Object.entries(times)) series.get(full)!.add(parts);
    }
  }
  for (const [name, { parts }] of series) {
    for (const [part, values] of parts) {
      const bound = part === BOUND_PART && SECOND_PROMPTS.includes(name);
      context.report(stage, `${name}: ${part}`, values, bound ? `at most ${BOUND_MS} ms` : '');
    }
  }
}

/** The client's time, what of it was not the decoder's, and the server's stages. */
function timesOf({ body, total, stages }: TimedAnswer, cached: boolean): Record<string, number> {
  const { cache_hit } = JSON.parse(new TextDecoder().decode(body));
  if (cache_hit !== cached) throw new Error(`cache_hit is ${cache_hit}, expected ${cached}`);
  const known = Object.values(stages).reduce((sum, ms) => sum + ms, 0);
  return {
    total,
    [BOUND_PART]: total - stages.decode,
    ...stages,
    'outside the stages': total - known,
  };
}
