import { megabytes } from './disk_space.ts';
import type { CatalogueEntry, ModelEntry } from './entry.ts';
import { allEntries, type ModelState, type ModelStore, modelState } from './store.ts';
import { renderTable } from './table.ts';

/** One model as `models list` shows it, and as `--json` prints it. */
export interface ListedModel {
  readonly id: string;
  readonly family: string;
  readonly title: string;
  readonly precision: string;
  /** Of a depth model. */
  readonly encoder?: string;
  readonly dataset?: string;
  readonly kind?: string;
  readonly maxDepth?: number;
  /** Of a segmentation or pose model. */
  readonly contract?: string;
  /** Of a segmentation model. */
  readonly generation?: string;
  /** Of a segmentation or pose model. */
  readonly answers?: readonly string[];
  readonly licence: ModelEntry['licence'];
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
    const { id, family, title, precision, licence, notes } = entry;
    return {
      ...{ id, family, title, precision, licence, notes },
      ...traits(entry),
      state: state.state,
      ...(state.state === 'damaged' && { problem: state.problem }),
      ...size(entry, state),
    };
  });
}

export function renderList(models: readonly ListedModel[]): string {
  const rows = models.map((model) => [
    model.id,
    model.family,
    [model.kind, model.dataset, ...(model.answers ?? [])].filter(Boolean).join(' '),
    model.precision,
    model.bytes === null ? '?' : `${model.approximate ? '~' : ''}${megabytes(model.bytes)}`,
    model.licence.spdx + mark(model.licence),
    model.state === 'absent' ? '-' : model.state,
  ]);
  const table = renderTable(
    ['MODEL', 'FAMILY', 'ANSWERS', 'WEIGHTS', 'SIZE', 'LICENCE', 'STATE'],
    rows,
  );
  const problems = models.filter(({ problem }) => problem);
  return [
    table,
    '',
    '(!) non-commercial use only, (*) conditions on use. Install with `bun run models pull MODEL`.',
    ...problems.map(({ id, problem }) => `${id} is damaged: ${problem}`),
  ].join('\n');
}

function mark({ nonCommercial, conditions }: ModelEntry['licence']): string {
  if (nonCommercial) return ' (!)';
  return conditions ? ' (*)' : '';
}

function traits(entry: CatalogueEntry): Partial<ListedModel> {
  if (entry.family === 'depth') {
    const { encoder, dataset, kind, maxDepth } = entry;
    return { encoder, dataset, kind, maxDepth };
  }
  if (entry.family === 'pose') {
    return { contract: entry.contract, answers: ['register', 'track'] };
  }
  const { contract, generation, answers } = entry;
  return { contract, generation, answers };
}

function size(
  entry: ModelEntry,
  state: ModelState,
): { bytes: number | null; approximate: boolean } {
  if ('bytes' in state) return { bytes: state.bytes, approximate: false };
  if (entry.approximateBytes !== undefined) {
    return { bytes: entry.approximateBytes, approximate: true };
  }
  const sizes = entry.files.map((file) => file.bytes ?? file.approximateBytes);
  if (sizes.length === 0 || sizes.includes(undefined)) return { bytes: null, approximate: false };
  return {
    bytes: sizes.reduce<number>((sum, each) => sum + (each ?? 0), 0),
    approximate: entry.files.some((file) => file.bytes === undefined),
  };
}
