import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * The folder for everything that can be made or fetched again: `TRIPTYCH_HOME`, else
 * `$XDG_CACHE_HOME/triptych`, else `~/.cache/triptych`.
 */
export function cacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment.TRIPTYCH_HOME) return environment.TRIPTYCH_HOME;
  return join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'triptych');
}
