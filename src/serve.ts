import { constants } from 'node:os';
import { defineCommand } from 'citty';
import { type Config, readConfig } from './config.ts';
import { parseFlags, serveArgs } from './flags.ts';
import { configureLog, logger } from './log.ts';
import { type RunningServer, startServer } from './server.ts';

/** Milliseconds that requests may take to finish once the server is told to stop. */
const GRACE_MS = 10_000;

/** `serve`: runs until a signal; exit code 1 and one line where it cannot start. */
export const serveCommand = defineCommand({
  meta: { name: 'serve', description: 'Start the server' },
  args: serveArgs,
  async run({ rawArgs }) {
    try {
      const config = readConfig(parseFlags(rawArgs));
      await configureLog(config.logLevel);
      const server = await startServer(config);
      stopOnSignals(server);
      announce(server, config);
    } catch (error) {
      exitWith(error);
    }
  },
});

/** One line on stderr and exit code 1. */
export function exitWith(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error);
  console.error(`error: ${message.trim().replaceAll(/\s*\n\s*/g, ' ')}`);
  process.exit(1);
}

function announce(server: RunningServer, { host, apiKey }: Config): void {
  for (const engine of server.engines) {
    if (!engine) continue;
    const { device } = engine;
    logger.info('engine on {kind}: {name}', { kind: device.kind, name: device.name });
  }
  const note = server.engines[0]?.device.note;
  if (note) logger.info('running on the CPU: {note}', { note });
  if (apiKey.length === 0 && !isLoopback(host)) {
    logger.warn(
      'no API key is set and {host} can be reached from other machines: whoever reaches it may use it. Give --api-key, or --host 127.0.0.1',
      { host },
    );
  }
  logger.info('listening on {url}, docs at {url}docs', { url: server.url.href });
}

function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|::1)$/i.test(host);
}

/** The first signal lets what is under way finish; the second does not wait. */
function stopOnSignals(server: RunningServer): void {
  let isStopping = false;
  const onSignal = (signal: 'SIGINT' | 'SIGTERM') => {
    if (isStopping) process.exit(128 + constants.signals[signal]);
    isStopping = true;
    logger.info('{signal}: stopping once {count} requests are answered, within {seconds} s', {
      signal,
      count: server.pendingRequests,
      seconds: GRACE_MS / 1000,
    });
    server.stop(GRACE_MS).then(() => process.exit(0), exitWith);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
}
