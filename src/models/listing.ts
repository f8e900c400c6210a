import type { DepthEntry } from './catalogue.ts';
import { megabytes } from './disk_space.ts';
import { allEntries, type ModelState, type ModelStore, modelState } from './store.ts';
import { renderTable } from './table.ts';

/** One model as `models list` shows it, and as `--json` prints it. */
export interface ListedModel {
  readonly id: string;
  readonly family: string;
  readonly title: string;
  readonly precision: string;
  readonly encoder?: string;
  readonly dataset?: string;
  readonly kind: string;
  readonly maxDepth?: number;
  readonly licence: DepthEntry['licence'];
  readonly state: ModelState['state'];
  /** What is wrong with a damaged one. */
  readonly problem?: string;
  /** On disk where it is installed, else what a download brings; null where that is unknown. */
  readonly bytes: number | null;
  /** True where `bytes` is rounded. */
  readonly approximate: boolean;
  readonly notes: string;
}

/** Every catalogue entry and registered file. */
export function listModels(store: ModelStore): ListedModel[] {
  return allEntries(store).map((entry) => {
    const state = modelState(store, entry);
    const { id, family, title, precision, encoder, dataset, kind, maxDepth, licence, notes } =
      entry;
    return {
      ...{ id, family, title, precision, encoder, dataset, kind, maxDepth, licence, notes },
      state: state.state,
      ...(state.state === 'damaged' && { problem: state.problem }),
      ...size(entry, state),
    };
  });
}

export function renderList(models: readonly ListedModel[]): string {
  const rows = models.map((model) => [
    model.id,
    [model.kind, model.dataset].filter(Boolean).join(' '),
    model.precision,
    model.bytes === null ? '?' : `${model.approximate ? '~' : ''}${megabytes(model.bytes)}`,
    model.licence.spdx + (model.licence.nonCommercial ? ' (!)' : ''),
    model.state === 'absent' ? '-' : model.state,
  ]);
  const table = renderTable(['MODEL', 'DEPTH', 'WEIGHTS', 'SIZE', 'LICENCE', 'STATE'], rows);
  const problems = models.filter(({ problem }) => problem);
  return [
    table,
    '',
    '(!) non-commercial use only. Install one with `bun run models pull MODEL`.',
    ...problems.map(({ id, problem }) => `${id} is damaged: ${problem}`),
  ].join('\n');
}

function size(
  entry: DepthEntry,
  state: ModelState,
): { bytes: number | null; approximate: boolean } {
  if ('bytes' in state) return { bytes: state.bytes, approximate: false };
  const sizes = entry.files.map((file) => file.bytes ?? file.approximateBytes);
  if (sizes.length === 0 || sizes.includes(undefined)) return { bytes: null, approximate: false };
  return {
    bytes: sizes.reduce<number>((sum, each) => sum + (each ?? 0), 0),
    approximate: entry.files.some((file) => file.bytes === undefined),
  };
}
