/** A listening server with the tiny random SAM 3, video graphs and all, for the tests of sessions. */
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../config.ts';
import { openStore } from '../models/store.ts';
import { startServer } from '../server.ts';

const FIXTURES = join(import.meta.dir, '../../test/fixtures');
const GRAPHS = ['segment-parity', 'video-parity'];

export const videoFixture = (name: string) => join(FIXTURES, 'video', name);

export interface VideoServer {
  readonly url: URL;
  /** Where uploads lie while their session is open. */
  uploadedFiles(): string[];
  send(
    path: string,
    method: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Response>;
  stop(): Promise<void>;
}

/** One folder with all seven graphs; the fixtures keep those of video apart. */
export function tinyModel(folder: string, omitted: readonly string[] = []): string {
  for (const part of GRAPHS) {
    const from = join(FIXTURES, part);
    for (const name of readdirSync(from)) {
      const isPart = /\.onnx$|^tokenizer/.test(name) && !omitted.includes(name);
      if (isPart) copyFileSync(join(from, name), join(folder, name));
    }
  }
  return folder;
}

/**
 * @param flags as on the command line, over those for the tiny model on the CPU
 * @param omitted files that its folder lacks
 */
export async function videoServer(
  flags: Record<string, string> = {},
  omitted: readonly string[] = [],
): Promise<VideoServer> {
  const scratch = mkdtempSync(join(tmpdir(), 'triptych-video-server-'));
  const home = join(scratch, 'home');
  const before = process.env.TRIPTYCH_HOME;
  process.env.TRIPTYCH_HOME = home;
  const given = {
    device: 'cpu',
    threads: '1',
    host: '127.0.0.1',
    port: '0',
    videoRoot: join(FIXTURES, 'video'),
    ...flags,
  };
  const checkpoint = { sam3Checkpoint: tinyModel(mkdtempSync(join(scratch, 'model-')), omitted) };
  const config = readConfig('sam3Checkpoint' in flags ? given : { ...given, ...checkpoint }, {});
  const store = openStore({ root: join(scratch, 'models') });
  const server = await startServer(config, store).finally(() => {
    if (before === undefined) delete process.env.TRIPTYCH_HOME;
    else process.env.TRIPTYCH_HOME = before;
  });
  return {
    url: server.url,
    uploadedFiles: () => filesBelow(join(home, 'uploads')),
    send: (path, method, body, headers = {}) =>
      fetch(new URL(`/api/v1/video${path}`, server.url), {
        method,
        body: body instanceof FormData || typeof body === 'string' ? body : JSON.stringify(body),
        headers:
          body instanceof FormData ? headers : { 'content-type': 'application/json', ...headers },
      }),
    stop: async () => {
      await server.stop();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

function filesBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}
