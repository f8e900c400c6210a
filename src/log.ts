import { configure, getConsoleSink, getLogger } from '@logtape/logtape';
import type { RequestLog } from './api/request_log.ts';
import type { Config } from './config.ts';

const logger = getLogger('triptych');

/** Sends the log to the console, from the configured level on. */
export async function configureLog(level: Config['logLevel']): Promise<void> {
  await configure({
    reset: true,
    sinks: { console: getConsoleSink() },
    loggers: [
      { category: 'triptych', lowestLevel: level, sinks: ['console'] },
      { category: ['logtape', 'meta'], lowestLevel: 'error', sinks: ['console'] },
    ],
  });
}

/** The server's events as log lines; silent until `configureLog`. */
export function serverLog(): RequestLog & { engineLost(index: number, reason: string): void } {
  return {
    request: (method, path, status, ms) =>
      logger.info('{method} {path} {status} {ms} ms', { method, path, status, ms: Math.round(ms) }),
    failure: (error, path) => logger.error('{path} failed: {error}', { path, error }),
    engineLost: (index, reason) =>
      logger.warn('engine {index} was lost: {reason}', { index, reason }),
  };
}

export { logger };
