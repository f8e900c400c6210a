import type { DepthHints } from './contracts.ts';
import { DEPTH_CATALOGUE } from './depth_catalogue.ts';
import type { CatalogueEntry, DepthEntry, ModelEntry } from './entry.ts';
import { ModelError } from './errors.ts';
import { POSE_CATALOGUE } from './pose_catalogue.ts';
import { SEGMENT_CATALOGUE } from './segment_catalogue.ts';

/** Every model known by name. To add one, add data to its family's list; see CONTRIBUTING.md. */
export const CATALOGUE: readonly CatalogueEntry[] = [
  ...DEPTH_CATALOGUE,
  ...SEGMENT_CATALOGUE,
  ...POSE_CATALOGUE,
];

/** @throws ModelError `unknown-model` naming the closest ids. */
export function entryById<E extends ModelEntry>(catalogue: readonly E[], id: string): E {
  const entry = catalogue.find((candidate) => candidate.id === id);
  if (entry) return entry;
  const alike = catalogue.filter(({ id: other }) => other.includes(id) || id.includes(other));
  throw new ModelError(
    'unknown-model',
    `no model is called "${id}"; ` +
      (alike.length > 0
        ? `close to it are ${alike.map((candidate) => candidate.id).join(', ')}`
        : '`bun run models list` shows them all'),
  );
}

/** What the entry says of its graph's kind, for `recogniseDepth`. */
export function depthHints(entry: DepthEntry): DepthHints {
  return { kind: entry.kind, maxDepth: entry.maxDepth };
}
