import { createInterface } from 'node:readline/promises';
import { say } from './command_run.ts';
import { type PullOptions, type PullResult, pull } from './download.ts';
import type { CatalogueEntry, ModelEntry } from './entry.ts';
import { licenceLine, needsAcceptance } from './licence.ts';
import type { HashOrigin } from './manifest.ts';
import { reportProgress } from './progress.ts';
import { type ModelStore, modelState } from './store.ts';

const TRUST: Readonly<Record<HashOrigin, string>> = {
  pinned: 'as pinned in the catalogue',
  announced: 'as the server announced, not pinned',
  recorded: 'recorded on first download, not pinned',
};

/** {@link pull} for a person: shows the licence, asks for it at a terminal, reports progress. */
export async function pullAloud(
  entry: CatalogueEntry,
  store: ModelStore,
  options: PullOptions,
): Promise<PullResult> {
  const { state } = modelState(store, entry);
  const present = state === 'embedded' || (state === 'installed' && !options.force);
  if (!present) say(`${entry.id}: ${licenceLine(entry)}`);
  const acceptLicence =
    options.acceptLicence || (!present && (await askLicence(entry, options.signal)));
  const report = reportProgress(process.stderr);
  try {
    const result = await pull(entry, store, { ...options, acceptLicence, events: report.events });
    report.stop();
    say(`${entry.id}: ${result.outcome.replace('-', ' ')}`);
    for (const { path, sha256, hashOrigin } of result.files) {
      say(`  ${path}: SHA-256 ${sha256} (${TRUST[hashOrigin]})`);
    }
    return result;
  } finally {
    report.stop();
  }
}

/** Asks a person at a terminal; anywhere else `pull` refuses and names the flag. */
async function askLicence(entry: ModelEntry, signal: AbortSignal | undefined): Promise<boolean> {
  if (!needsAcceptance(entry) || !process.stdin.isTTY || !process.stderr.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const question = `Do you accept this licence for ${entry.id}? Type yes: `;
    const answer = await terminal.question(question, signal ? { signal } : {});
    return answer.trim().toLowerCase() === 'yes';
  } finally {
    terminal.close();
  }
}
