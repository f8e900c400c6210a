import type { Timings } from '../engine/task.ts';

/** Adds up how long each stage of a task took. On WebGPU most stages only enqueue. */
export class StageTimes {
  private readonly spent = new Map<string, number>();

  async measure<T>(stage: string, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      return await work();
    } finally {
      const before = this.spent.get(stage) ?? 0;
      this.spent.set(stage, before + performance.now() - started);
    }
  }

  /** Milliseconds by stage, in the order of their beginnings. */
  timings(): Timings {
    // Graphs that are open already are found in no time.
    const told = [...this.spent].filter(([stage, ms]) => stage !== 'load' || ms > 1);
    return Object.fromEntries(told);
  }
}
