import type { ArgsDef, ParsedArgs } from 'citty';
import {
  ApiError,
  type ClientOptions,
  getHealth,
  loadServers,
  NoAnswerError,
  PropagationError,
  ServersFileError,
  serverByName,
} from './index.ts';

/** Wrong usage. */
export class UsageError extends Error {}

/** What every command of the example takes. */
export const CONNECTION_ARGS = {
  url: { type: 'string', valueHint: 'URL', description: "The server's address" },
  server: { type: 'string', valueHint: 'NAME', description: 'Or its name in the servers file' },
  servers: {
    type: 'string',
    valueHint: 'FILE',
    default: 'servers.yaml',
    description: 'That file; servers.example.yaml shows its form',
  },
  'api-key': { type: 'string', valueHint: 'KEY', description: 'The key, where one is needed' },
} as const satisfies ArgsDef;

export const IMAGE_ARG = {
  type: 'positional',
  required: true,
  description: 'The picture',
  valueHint: 'FILE',
} as const;

/**
 * The picture and the server that the flags name; says which server that is.
 *
 * @throws UsageError, ServersFileError, ApiError, NoAnswerError
 */
export async function open(
  given: ParsedArgs<typeof CONNECTION_ARGS> & { image: string },
): Promise<{ image: Blob; options: ClientOptions }> {
  const image = await existing(given.image);
  return { image, options: await connect(given) };
}

/** @throws UsageError */
export async function existing(path: string): Promise<Blob> {
  const file = Bun.file(path);
  if (await file.exists()) return file;
  throw new UsageError(`${path}: no such file`);
}

/**
 * The server that the flags name; says which one that is.
 *
 * @throws UsageError, ServersFileError, ApiError, NoAnswerError
 */
export async function connect(given: ParsedArgs<typeof CONNECTION_ARGS>): Promise<ClientOptions> {
  const options = await connection(given);
  console.log(`${options.baseUrl}: ${(await getHealth(options)).device}`);
  return options;
}

async function connection(given: ParsedArgs<typeof CONNECTION_ARGS>): Promise<ClientOptions> {
  const { url, server, servers, 'api-key': key } = given;
  if (url !== undefined && server !== undefined) {
    throw new UsageError(`--url ${url} and --server ${server} were given; give one of them`);
  }
  const entry = server === undefined ? undefined : serverByName(await loadServers(servers), server);
  return {
    baseUrl: url ?? entry?.baseUrl ?? 'http://127.0.0.1:8000',
    apiKey: key ?? entry?.apiKey,
  };
}

/** Runs a command; what the user or the server did wrong becomes one line and exit code 1. */
export async function reportErrors(command: () => Promise<void>): Promise<void> {
  try {
    await command();
  } catch (error) {
    if (!isExpected(error)) throw error;
    console.error(`error: ${error.message}`);
    process.exitCode = 1;
  }
}

/** As against a fault of this program. */
function isExpected(error: unknown): error is Error {
  return [ApiError, NoAnswerError, PropagationError, ServersFileError, UsageError, TypeError].some(
    (kind) => error instanceof kind,
  );
}
