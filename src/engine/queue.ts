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

  /** Takes the next batch: one job, or up to `maxBatch` of equal key in order. */
  takeBatch(): Job[] {
    const first = this.jobs[0];
    if (!first) return [];
    const key = first.batchKey();
    const batch = [first];
    for (const job of this.jobs.slice(1)) {
      if (key === null || batch.length >= first.kind.maxBatch) break;
      if (job.batchKey() === key) batch.push(job);
    }
    this.jobs = this.jobs.filter((job) => !batch.includes(job));
    return batch;
  }

  /** Empties the queue. */
  drain(): Job[] {
    const jobs = this.jobs;
    this.jobs = [];
    return jobs;
  }
}
