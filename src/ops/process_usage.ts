import { availableParallelism, totalmem } from 'node:os';

/** A share is measured over at least this long, whoever asks in between. */
const MIN_INTERVAL_MS = 1000;

const MICROSECONDS_PER_MS = 1000;

/** Where the time is read. */
interface Clock {
  /** Milliseconds since the process started. */
  now(): number;
  /** Milliseconds that all threads of the process have run. */
  usedMs(): number;
  readonly processors: number;
}

const CLOCK: Clock = {
  now: () => performance.now(),
  usedMs: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / MICROSECONDS_PER_MS;
  },
  processors: availableParallelism(),
};

/** What this process takes of its machine, or of its container's share of it. */
export class ProcessUsage {
  private usedMs = 0;
  private measuredAt = 0;
  private percent = 0;

  constructor(private readonly clock: Clock = CLOCK) {}

  /** Of all processors' time since the last measurement, or since the start, in percent. */
  cpuPercent(): number {
    const now = this.clock.now();
    const elapsed = now - this.measuredAt;
    if (elapsed < MIN_INTERVAL_MS && this.measuredAt > 0) return this.percent;
    const used = this.clock.usedMs();
    this.percent = Math.min(100, (100 * (used - this.usedMs)) / (elapsed * this.clock.processors));
    this.usedMs = used;
    this.measuredAt = now;
    return this.percent;
  }

  /** Resident memory in percent of what there is. */
  memoryPercent(): number {
    const limit = process.constrainedMemory();
    const available = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
    return (100 * process.memoryUsage.rss()) / available;
  }
}
