import type { Stage } from '../client/index.ts';
import { renderTable } from '../models/table.ts';

/** Times of one picture, in order, by who spent them. */
export class Stages {
  private readonly rows: { readonly where: string; readonly stage: string; readonly ms: number }[] =
    [];

  add(where: string, stage: string, ms: number): void {
    this.rows.push({ where, stage, ms });
  }

  /** Runs the work and notes its time. */
  async time<T>(where: string, stage: string, work: () => T | Promise<T>): Promise<T> {
    const started = performance.now();
    const result = await work();
    this.add(where, stage, performance.now() - started);
    return result;
  }

  /** The server's own stages, and what else the round trip took. */
  addRoundTrip(stages: readonly Stage[], ms: number): void {
    for (const { name, milliseconds } of stages) this.add('server', name, milliseconds);
    const inServer = stages.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    this.add('client', 'send, receive, parse', ms - inServer);
    this.add('client', '= round trip', ms);
  }

  render(): string {
    const header = ['where', 'stage', '      ms'];
    const rows = this.rows.map(({ where, stage, ms }) => [where, stage, ms.toFixed(1).padStart(8)]);
    return renderTable(header, rows);
  }
}
