/** Something to be timed. */
export interface Timed {
  readonly name: string;
  /** Does the work once, or only enqueues it where `settle` waits for it. */
  run(): unknown;
  /** Called at the end of a sample: resolves when all that was enqueued is done. */
  settle?(): Promise<unknown>;
  /** Runs in one sample. Default: as many as take `SAMPLE_MS`, so that the clock is no matter. */
  readonly repeats?: number;
}

export interface Sampled {
  readonly name: string;
  /** Milliseconds per run, one value a sample. */
  readonly samples: readonly number[];
  /** Runs in one sample. */
  readonly repeats: number;
}

/** How long to measure; the time is each case's own. */
export interface Budget {
  readonly warmUpMs: number;
  readonly ms: number;
  /** Taken even when the time is up. */
  readonly minSamples: number;
  readonly maxSamples: number;
}

export const BUDGET: Budget = { warmUpMs: 400, ms: 1500, minSamples: 15, maxSamples: 200 };

/** Shorter samples would measure the clock and the scheduler. */
const SAMPLE_MS = 1;
/** With a wait for the device at the end, whose own cost is to be small against the rest. */
const SETTLED_SAMPLE_MS = 10;
const MAX_REPEATS = 1000;

/**
 * Times cases against one another: each is warmed up, then all take samples in turn, every second
 * round in reverse order, so that what else happens on the machine falls on all of them alike.
 */
export async function sampleInTurn(
  cases: readonly Timed[],
  budget: Budget = BUDGET,
): Promise<Sampled[]> {
  const series: Series[] = [];
  for (const timed of cases) series.push(await Series.warmedUp(timed, budget));
  for (let round = 0; series.some((one) => one.wantsMore); round++) {
    const order = round % 2 === 0 ? series : series.toReversed();
    for (const one of order) if (one.wantsMore) await one.take();
  }
  return series.map(({ timed, samples, repeats }) => ({ name: timed.name, samples, repeats }));
}

/** The samples of one case. */
class Series {
  readonly samples: number[] = [];
  private spent = 0;

  private constructor(
    readonly timed: Timed,
    readonly repeats: number,
    private readonly budget: Budget,
  ) {}

  /** Runs until the compilers have had their time, and sees how long one run takes. */
  static async warmedUp(timed: Timed, budget: Budget): Promise<Series> {
    const started = performance.now();
    let last = await sampleOnce(timed, 1);
    for (let runs = 1; runs < 3 || performance.now() - started < budget.warmUpMs; runs++) {
      last = Math.min(last, await sampleOnce(timed, 1));
    }
    const goal = timed.settle ? SETTLED_SAMPLE_MS : SAMPLE_MS;
    const repeats = Math.min(MAX_REPEATS, Math.max(1, Math.ceil(goal / last)));
    return new Series(timed, timed.repeats ?? repeats, budget);
  }

  get wantsMore(): boolean {
    const { ms, minSamples, maxSamples } = this.budget;
    if (this.samples.length >= maxSamples) return false;
    return this.samples.length < minSamples || this.spent < ms;
  }

  async take(): Promise<void> {
    const perRun = await sampleOnce(this.timed, this.repeats);
    this.samples.push(perRun);
    this.spent += perRun * this.repeats;
  }
}

/** Milliseconds per run over `repeats` runs. */
async function sampleOnce({ run, settle }: Timed, repeats: number): Promise<number> {
  const started = Bun.nanoseconds();
  for (let i = 0; i < repeats; i++) {
    const pending = run();
    // A synchronous run must not pay for a turn of the event loop.
    if (pending instanceof Promise) await pending;
  }
  await settle?.();
  return (Bun.nanoseconds() - started) / 1e6 / repeats;
}
