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
export type { EstimateAnswer, TrackAnswer } from '../pose/answers.ts';
export type { FoundationPoseAnswer, FoundationPoseFields } from '../pose/foundationpose/schema.ts';
export type { EstimateFields, TrackFields } from '../pose/schema.ts';
export type { MaskFormat, PromptFields } from '../sam/prompt_schema.ts';
export type { SegmentFields } from '../segment/schema.ts';
export type { SessionsAnswer, StartAnswer, StatusAnswer } from '../video/answers.ts';
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
export { ApiError, NoAnswerError, PropagationError, ServersFileError } from './errors.ts';
export { decodeMask, encodeMask, type MaskSize } from './masks.ts';
export { getHealth, getMetrics, getModelsInfo, type ModelsInfoAnswer } from './monitoring.ts';
export { estimatePose, foundationPose, trackPose } from './pose.ts';
export type { RawAnswer } from './raw.ts';
export {
  type CachedFeaturesFields,
  type InFormat,
  type MaskOf,
  type RleObject,
  type Segmented,
  type SegmentedConcepts,
  segmentImage,
  segmentOverlay,
  segmentWithCachedFeatures,
} from './segment.ts';
export { loadServers, parseServers, type ServerEntry, serverByName } from './servers.ts';
export { type Stage, serverStages } from './timing.ts';
export {
  addPrompts,
  closeSession,
  getSessionStatus,
  listSessions,
  type Prompted,
  type Propagated,
  type PropagationFields,
  propagate,
  removeObject,
  resetSession,
  type SessionFields,
  startSession,
  type TrackedFrame,
} from './video.ts';
export { propagateStream } from './video_stream.ts';
