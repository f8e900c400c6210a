/**
 * A client of this server for Bun, browsers and whatever else has `fetch` and
 * `Uint8Array.fromBase64`.
 *
 * @module
 */
export type {
  Colormap,
  DepthAnswer,
  MetricDepthFields,
  PointCloudAnswer,
  PointCloudFields,
  RelativeDepthFields,
} from '../depth/schema.ts';
export type { HealthAnswer } from '../ops/health.ts';
export { decodeDepthMap, decodePointcloud, encodeImage } from './arrays.ts';
export type { ClientOptions } from './connection.ts';
export {
  type EncodedType,
  type FileOptions,
  predictFile,
  predictMetricDepth,
  predictPointcloud,
  predictRelativeDepth,
  type RawOptions,
} from './depth.ts';
export { ApiError, NoAnswerError, ServersFileError } from './errors.ts';
export { getHealth } from './health.ts';
export type { RawAnswer } from './raw.ts';
export { loadServers, parseServers, type ServerEntry, serverByName } from './servers.ts';
export { type Stage, serverStages } from './timing.ts';
