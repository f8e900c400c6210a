import { HttpError } from './errors.ts';

/**
 * Lets a few pieces of work in at a time, some wait, and turns the rest away, so that a crowd costs
 * bounded memory.
 */
export class Gate {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly limit: number,
    private readonly capacity: number,
  ) {}

  /** @throws HttpError 503 when too many wait already */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= this.limit) {
      if (this.waiting.length >= this.capacity) {
        const detail = `the server is busy: ${this.waiting.length} requests are waiting. Try again later`;
        throw new HttpError(503, detail, { 'Retry-After': '1' });
      }
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    } else this.running++;
    try {
      return await work();
    } finally {
      // A place is handed on, not given up and taken again.
      const next = this.waiting.shift();
      if (next) next();
      else this.running--;
    }
  }
}
