import type { ModelEntry } from './entry.ts';
import { ModelError } from './errors.ts';

/** Whether a person must say yes before the model is fetched. */
export function needsAcceptance({ licence }: ModelEntry): boolean {
  return licence.nonCommercial || licence.gated || licence.conditions === true;
}

/** One line for a person: "CC-BY-NC-4.0, non-commercial use only, https://…". */
export function licenceLine({ licence }: ModelEntry): string {
  return [
    licence.spdx,
    licence.nonCommercial && 'non-commercial use only',
    licence.conditions && 'with conditions on use and on copies',
    licence.gated && 'access must be asked for at the host',
    licence.url,
  ]
    .filter(Boolean)
    .join(', ');
}

/** @throws ModelError `licence` unless the licence is open or was accepted. */
export function requireLicence(entry: ModelEntry, accepted: boolean): void {
  if (accepted || !needsAcceptance(entry)) return;
  throw new ModelError(
    'licence',
    `${entry.id} is under ${licenceLine(entry)}; read it and repeat the command with ` +
      '--accept-licence to accept it',
  );
}
