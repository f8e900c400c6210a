import { join } from 'node:path';
import { benchEnvironment } from './run_suite.ts';

/** What a server's process is told. */
export type ToServer = 'collect';

/** What it answers. */
export type FromServer =
  | { readonly type: 'listening'; readonly url: string }
  | { readonly type: 'memory'; readonly rssBytes: number };

/** A server in a process of its own, so that the client's work does not delay it. */
export interface ServerProcess {
  readonly url: string;
  /** Collects garbage on all its threads, then measures. */
  rssBytes(): Promise<number>;
  stop(): Promise<void>;
}

/**
 * Starts a server on a device.
 *
 * @param flags as on the command line
 */
export async function startServerProcess(
  device: string,
  flags: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  let receive = Promise.withResolvers<FromServer>();
  const child = Bun.spawn({
    cmd: [
      process.execPath,
      join(import.meta.dir, 'main.ts'),
      '--child',
      `server:${device}`,
      JSON.stringify(flags),
    ],
    stdio: ['ignore', 'inherit', 'inherit'],
    env: benchEnvironment(),
    ipc: (message: FromServer) => receive.resolve(message),
    onExit: (_, code) => receive.reject(new Error(`the server ended with ${code}`)),
  });
  const first = await receive.promise;
  if (first.type !== 'listening') throw new Error(`the server said ${first.type} first`);
  return {
    url: first.url,
    rssBytes: async () => {
      receive = Promise.withResolvers<FromServer>();
      child.send('collect' satisfies ToServer);
      const answer = await receive.promise;
      if (answer.type !== 'memory') throw new Error(`the server said ${answer.type}`);
      return answer.rssBytes;
    },
    stop: async () => {
      receive.promise.catch(() => {});
      child.kill();
      await child.exited;
    },
  };
}
