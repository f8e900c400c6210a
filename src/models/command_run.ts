import type { ArgsDef } from 'citty';
import { entryById } from './catalogue.ts';
import type { CatalogueEntry } from './entry.ts';
import { ModelError, type ModelErrorCode } from './errors.ts';

/**
 * 0 done, 1 failed, 2 wrong usage or unknown model, 3 licence to be accepted first, 4 a file is not
 * what it should be, 130 stopped.
 */
const EXIT_CODES: Partial<Record<ModelErrorCode, number>> = {
  usage: 2,
  'unknown-model': 2,
  licence: 3,
  checksum: 4,
  format: 4,
  'unknown-graph': 4,
  aborted: 130,
};

/** The arguments of a command as citty parsed them. */
export interface ParsedArguments {
  readonly _: readonly string[];
  readonly [name: string]: unknown;
}

/**
 * Runs a command's work: Ctrl-C stops it, a failure becomes a line and an exit code, and a flag
 * that does not exist is refused instead of ignored.
 */
export async function runCommand(
  args: ParsedArguments,
  known: ArgsDef,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const interrupt = () =>
    stop.abort(
      new ModelError('aborted', 'stopped; the same command goes on where a download stopped'),
    );
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    rejectUnknownFlags(args, known);
    await work(stop.signal);
  } catch (error) {
    const failure: unknown = stop.signal.aborted ? stop.signal.reason : error;
    if (!(failure instanceof ModelError)) throw failure;
    say(`error: ${failure.message}`);
    process.exitCode = EXIT_CODES[failure.code] ?? 1;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

/** The entries named on the command line, each once. */
export function namedEntries(
  args: ParsedArguments,
  entries: readonly CatalogueEntry[],
): CatalogueEntry[] {
  if (args._.length > 0) return [...new Set(args._)].map((id) => entryById(entries, id));
  throw new ModelError('usage', 'no model was named; `bun run models list` shows them all');
}

/** Results, for a pipe. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Everything else, for a person. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function rejectUnknownFlags(args: ParsedArguments, known: ArgsDef): void {
  const plain = (name: string) => name.replaceAll('-', '').toLowerCase();
  const names = Object.keys(known);
  const unknown = Object.keys(args).find(
    (given) => given !== '_' && !names.some((name) => plain(name) === plain(given)),
  );
  if (unknown === undefined) return;
  const flags = names.filter((name) => known[name].type !== 'positional');
  throw new ModelError(
    'usage',
    `--${unknown} is not a flag of this command; it has ${flags.map((name) => `--${name}`).join(', ')}`,
  );
}
