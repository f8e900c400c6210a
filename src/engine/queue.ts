import type { Job } from './job.ts';

/**
 * First in, first out, bounded in number and in bytes; a batch is the first job and those behind it
 * with its key.
 */
export class JobQueue {
  private jobs: Job[] = [];

  constructor(
    private readonly capacity: number,
    private readonly capacityBytes: number,
  ) {}

  get length(): number {
    return this.jobs.length;
  }

  get full(): boolean {
    const bytes = this.jobs.reduce((sum, job) => sum + job.bytes, 0);
    return this.jobs.length >= this.capacity || bytes >= this.capacityBytes;
  }

  push(job: Job): void {
    this.jobs.push(job);
  }

  remove(job: Job): void {
    this.jobs = this.jobs.filter((other) => other !== job);
  }

  /** The first job for which `can` holds. */
  first(can: (job: Job) => boolean): Job | undefined {
    return this.jobs.find(can);
  }

  /**
   * Takes a job and those behind it, up to `maxBatch` in all, that have its key and may run on the
   * same engine.
   */
  takeBatch(first: Job, engine: number): Job[] {
    const key = first.batchKey();
    const batch = [first];
    for (const job of this.jobs.slice(this.jobs.indexOf(first) + 1)) {
      if (key === null || batch.length >= first.kind.maxBatch) break;
      if (job.batchKey() === key && (job.engine ?? engine) === engine) batch.push(job);
    }
    this.jobs = this.jobs.filter((job) => !batch.includes(job));
    return batch;
  }

  /** Takes out the jobs that wait for an engine. */
  takePinned(engine: number): Job[] {
    const pinned = this.jobs.filter((job) => job.engine === engine);
    this.jobs = this.jobs.filter((job) => job.engine !== engine);
    return pinned;
  }

  /** Empties the queue. */
  drain(): Job[] {
    const jobs = this.jobs;
    this.jobs = [];
    return jobs;
  }
}
