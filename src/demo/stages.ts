import type { Stage } from '../client/index.ts';
import { renderTable } from '../models/table.ts';

const WHERE = ['server', 'client', 'demo'] as const;
const WIDTH = 8;

interface Row {
  readonly where: (typeof WHERE)[number];
  readonly stage: string;
  readonly ms: number;
}

/** Times of one picture, in order, by who spent them. */
export class Stages {
  readonly rows: Row[] = [];

  add(where: Row['where'], stage: string, ms: number): void {
    this.rows.push({ where, stage, ms });
  }

  /** Runs the work and notes its time. */
  async time<T>(where: Row['where'], stage: string, work: () => T | Promise<T>): Promise<T> {
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
    return renderColumns({ ms: this });
  }
}

/** Times of several requests side by side, under their names. */
export function renderColumns(columns: Readonly<Record<string, Stages>>): string {
  const all = Object.values(columns);
  const known = new Map(
    all.flatMap(({ rows }) =>
      rows.map(({ where, stage }) => [`${where} ${stage}`, [where, stage]]),
    ),
  );
  const cells = (where: string, stage: string) =>
    all.map(({ rows }) => {
      const row = rows.find((one) => one.where === where && one.stage === stage);
      return (row?.ms.toFixed(1) ?? '-').padStart(WIDTH);
    });
  const header = ['where', 'stage', ...Object.keys(columns).map((name) => name.padStart(WIDTH))];
  const inOrder = WHERE.flatMap((place) =>
    [...known.values()].filter(([where]) => where === place),
  );
  return renderTable(
    header,
    inOrder.map(([where, stage]) => [where, stage, ...cells(where, stage)]),
  );
}
