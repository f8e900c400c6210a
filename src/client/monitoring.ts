import type { HealthAnswer } from '../ops/health.ts';
import type { modelsInfo } from '../ops/models_info.ts';
import { type ClientOptions, expectType, readJson, request } from './connection.ts';

/** The answer of `GET /models/info`, as the route declares it. */
export type ModelsInfoAnswer = ReturnType<
  typeof modelsInfo
>['~Routes']['models']['info']['get']['response'][200];

/**
 * `GET /health`: the state of the server. Needs no key.
 *
 * @throws ApiError, NoAnswerError
 */
export function getHealth(options: ClientOptions = {}): Promise<HealthAnswer> {
  const sent = { method: 'GET', accept: 'application/json' } as const;
  return request('health', sent, options, readJson<HealthAnswer>);
}

/**
 * `GET /models/info`: what answers segmentation requests, and all installed models by family.
 *
 * @throws ApiError, NoAnswerError
 *
 * @example
 * const { image_model } = await getModelsInfo();
 * if (!image_model.capabilities.includes('text_prompt')) console.log('clicks and boxes only');
 */
export function getModelsInfo(options: ClientOptions = {}): Promise<ModelsInfoAnswer> {
  const sent = { method: 'GET', accept: 'application/json' } as const;
  return request('models/info', sent, options, readJson<ModelsInfoAnswer>);
}

/**
 * `GET /metrics`: the server's figures in Prometheus' text format, version 0.0.4.
 *
 * @throws ApiError, NoAnswerError
 */
export function getMetrics(options: ClientOptions = {}): Promise<string> {
  const sent = { method: 'GET', accept: 'text/plain' } as const;
  return request('metrics', sent, options, (response) => {
    expectType(response, 'text/plain');
    return response.text();
  });
}
