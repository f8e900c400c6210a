import type { HealthAnswer } from '../ops/health.ts';
import { type ClientOptions, readJson, request } from './connection.ts';

/**
 * `GET /health`: the state of the server. Needs no key.
 *
 * @throws ApiError, NoAnswerError
 */
export function getHealth(options: ClientOptions = {}): Promise<HealthAnswer> {
  const sent = { method: 'GET', accept: 'application/json' } as const;
  return request('health', sent, options, readJson<HealthAnswer>);
}
