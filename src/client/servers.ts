import { LineCounter, parseDocument } from 'yaml';
import { ServersFileError } from './errors.ts';

/** A server of a servers file; it can be given as the options of any request. */
export interface ServerEntry {
  readonly name: string;
  readonly baseUrl: string;
  readonly apiKey?: string;
  readonly model?: string;
  readonly description?: string;
}

const KEYS = ['base_url', 'api_key', 'model', 'description'] as const;
type Key = (typeof KEYS)[number];

/**
 * Reads a servers file:
 *
 * ```yaml
 * lab:
 *   base_url: "http://10.0.0.211:8000"
 *   api_key: "sk-your-api-key"         # optional, as are the next two
 *   model: "depth-anything-v2"
 *   description: "The machine with the GPU"
 * ```
 *
 * @throws ServersFileError naming the file, and the line or the server and its key
 */
export async function loadServers(path: string): Promise<ServerEntry[]> {
  const { readFile } = await import('node:fs/promises');
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new ServersFileError(`${path} cannot be read: ${error.message}`, { cause: error });
  });
  return parseServers(text, path);
}

/** The same from the file's text; `path` is for the errors. */
export function parseServers(text: string, path = 'servers.yaml'): ServerEntry[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [syntaxError] = document.errors;
  if (syntaxError) {
    const { line, col } = lines.linePos(syntaxError.pos[0]);
    throw new ServersFileError(`${path}:${line}:${col}: ${syntaxError.message}`);
  }
  const servers: unknown = document.toJS({ mapAsMap: true });
  if (!(servers instanceof Map) || servers.size === 0) {
    throw new ServersFileError(`${path}: expected servers by name, each with a base_url`);
  }
  return [...servers].map(([name, fields]) => serverEntry(String(name), fields, path));
}

/** @throws ServersFileError naming the servers that there are */
export function serverByName(servers: readonly ServerEntry[], name: string): ServerEntry {
  const found = servers.find((server) => server.name === name);
  if (found) return found;
  const known = servers.map((server) => server.name).join(', ');
  throw new ServersFileError(`no server is called "${name}"; there are ${known || 'none'}`);
}

function serverEntry(name: string, fields: unknown, path: string): ServerEntry {
  const where = `${path}: ${name}`;
  if (!(fields instanceof Map)) {
    throw new ServersFileError(
      `${where}: expected ${KEYS.join(', ')}, given ${JSON.stringify(fields)}`,
    );
  }
  const unknown = [...fields.keys()].find((key) => !KEYS.includes(key));
  if (unknown !== undefined) {
    throw new ServersFileError(`${where}.${unknown} is not a key; expected ${KEYS.join(', ')}`);
  }
  const read = (key: Key) => textField(fields.get(key), `${where}.${key}`);
  const baseUrl = read('base_url');
  if (!/^https?:$/.test(URL.parse(baseUrl ?? '')?.protocol ?? '')) {
    const given = baseUrl === undefined ? 'nothing' : `"${baseUrl}"`;
    throw new ServersFileError(
      `${where}.base_url: expected an http(s) URL such as http://10.0.0.211:8000, given ${given}`,
    );
  }
  return {
    name,
    baseUrl: baseUrl ?? '',
    apiKey: read('api_key'),
    model: read('model'),
    description: read('description'),
  };
}

/** Empty is absent. YAML makes numbers of digits, and would so lose a key's leading zeros. */
function textField(value: unknown, where: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw new ServersFileError(
    `${where}: expected text, given ${JSON.stringify(value)}: put it in quotes`,
  );
}
