import type { Backend } from '../../src/compute/backend.ts';
import { OpenModels } from '../../src/models/open_models.ts';
import { geometricMethod } from '../../src/pose/geometric/method.ts';
import { learnedMethod } from '../../src/pose/learned/method.ts';
import type { PoseMethod } from '../../src/pose/method.ts';
import { isLmoPresent, loadLmo } from '../../test/pose/lmo.ts';
import { OBJECTS } from '../../test/pose/objects.ts';
import { measureRecall, type Outcome } from '../../test/pose/recall.ts';
import type { BenchContext } from '../measurement.ts';
import { openForBench } from '../open.ts';
import { sampleInTurn } from '../sampler.ts';
import { statisticsOf } from '../statistics.ts';

const STAGE = 'pose';
const LMO = 'LM-O object 5 640x480';
const REGISTER = `geometric register ${LMO}`;
const TRACK = `geometric track ${LMO}`;
const MEMORY = `geometric memory of a register ${LMO}`;
/** With the fixture's graphs, which cost next to nothing: all but the networks is left. */
const LEARNED_REGISTER = `learned register without its networks ${LMO}`;
const LEARNED_TRACK = `learned track without its networks ${LMO}`;
const RECALL = 'geometric recall of 200 generated scenes';

/** Of each of the generated objects. */
const SCENES = 10;
const RECALL_AT = 0.1;
/** How much better than the second distinct pose a sure one scores. */
const SURE = 0.05;
const MEBI = 2 ** 20;
const REGISTERS = 5;

/**
 * Registering and tracking: time and memory on a real frame, and how often the geometric method is
 * right. The learned method's share is what it does beside its networks.
 */
export async function run(context: BenchContext): Promise<void> {
  const [measured, recall] = [
    casesOn(context).filter((name) => context.wants(STAGE, name)),
    context.wants(STAGE, RECALL) && context.device === 'cpu',
  ];
  if (measured.length === 0 && !recall) return;
  const backend = await openForBench(context.device);
  if (measured.length > 0 && !isLmoPresent) {
    console.warn(`SKIPPED ${measured.join(', ')}: no ../shared/data/pose/lmo`);
  } else {
    await measureLmo(context, backend, measured);
  }
  if (recall) reportRecall(context, await measureRecall(geometricMethod(backend), all(), SCENES));
  await backend.dispose();
}

/** A CPU renders the learned method's 1,260 crops for ten seconds: only a GPU is asked for them. */
function casesOn({ device }: BenchContext): string[] {
  const both = [MEMORY, REGISTER, TRACK, LEARNED_TRACK];
  return device === 'cpu' ? both : [...both, LEARNED_REGISTER];
}

function all(): number[] {
  return Array.from({ length: OBJECTS }, (_, index) => index);
}

/** The real frame: memory first, as what was used before cannot be told from what is. */
async function measureLmo(
  context: BenchContext,
  backend: Backend,
  wanted: readonly string[],
): Promise<void> {
  const { object, frame, mask, truth } = await loadLmo();
  const method = geometricMethod(backend);
  if (wanted.includes(MEMORY)) {
    const bytes = await peakOf(async () => {
      await method.register(object, frame, mask);
    });
    const notes = `most resident in ${REGISTERS} registers; at most 600 MiB`;
    context.reportValue(STAGE, MEMORY, { median: bytes / MEBI, n: 1, unit: 'MiB', notes });
  }
  const bounds: Readonly<Record<string, string>> = {
    [REGISTER]: bound(context, 2500, 150),
    [TRACK]: bound(context, 120, 2),
    [LEARNED_REGISTER]: 'aim 150 ms',
    [LEARNED_TRACK]: context.device === 'cpu' ? '' : 'aim 2 ms',
  };
  const learned = await learnedOn(backend);
  const cases = [
    { name: REGISTER, run: () => method.register(object, frame, mask) },
    { name: TRACK, run: () => method.track(object, frame, truth) },
    { name: LEARNED_REGISTER, run: () => learned.register(object, frame, mask) },
    { name: LEARNED_TRACK, run: () => learned.track(object, frame, truth) },
  ].filter(({ name }) => wanted.includes(name));
  for (const { name, samples } of await sampleInTurn(cases)) {
    context.report(STAGE, name, samples, bounds[name]);
  }
}

/** The graphs' own folder is registered as a user's would be. */
async function learnedOn(backend: Backend): Promise<PoseMethod> {
  await import('../../test/packed_fixtures.ts');
  const { installed } = await import('../../src/pose/learned/learned_fixture.ts');
  return learnedMethod(backend, new OpenModels(backend), await installed('hugging-face'));
}

function bound({ device }: BenchContext, cpu: number, gpu: number): string {
  if (device === 'software') return '';
  return device === 'cpu' ? `at most ${cpu} ms` : `aim ${gpu} ms`;
}

/** How much more memory is resident at most while something runs some times. */
async function peakOf(work: () => Promise<void>): Promise<number> {
  Bun.gc(true);
  const before = process.memoryUsage.rss();
  let most = before;
  for (let run = 0; run < REGISTERS; run++) {
    await work();
    most = Math.max(most, process.memoryUsage.rss());
  }
  return Math.max(most, process.resourceUsage().maxRSS * 1024) - before;
}

function reportRecall(context: BenchContext, outcomes: readonly Outcome[]): void {
  const isFound = ({ distance }: Outcome) => distance < RECALL_AT;
  const share = (some: readonly Outcome[]) => ({
    median: (100 * some.filter(isFound).length) / some.length,
    n: some.length,
    unit: '%',
  });
  const notes = 'ADD, ADD-S of symmetric ones, below 0.1 d; at least 90 %';
  context.reportValue(STAGE, RECALL, { ...share(outcomes), notes });
  const report = (name: string, some: readonly Outcome[]) => {
    if (some.length > 0) context.reportValue(STAGE, `${RECALL}: ${name}`, share(some));
  };
  const isSure = ({ margin }: Outcome) => margin >= SURE;
  report(`best ahead by ${SURE} or more`, outcomes.filter(isSure));
  report(
    `best ahead by less than ${SURE}`,
    outcomes.filter((one) => !isSure(one)),
  );
  const shares = outcomes.filter(isFound).map(({ inlierFraction }) => 100 * inlierFraction);
  if (shares.length === 0) return;
  const statistics = { ...statisticsOf(shares), unit: '%' };
  context.reportValue(STAGE, `${RECALL}: inlier fraction of those found`, statistics);
}
