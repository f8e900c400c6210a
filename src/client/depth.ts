import type {
  Colormap,
  DepthAnswer,
  MetricDepthFields,
  PointCloudAnswer,
  PointCloudFields,
  RelativeDepthFields,
} from '../depth/schema.ts';
import { post } from './body.ts';
import { type ClientOptions, expectType, readJson, request } from './connection.ts';
import { RAW, type RawAnswer, readRaw } from './raw.ts';

/** Asks for raw float32 instead of JSON: a quarter fewer bytes, and no base64 to write and read. */
export type RawOptions = ClientOptions & { readonly binary: true };

export type FileOptions = ClientOptions & { readonly colormap?: Colormap };

type DepthRoute = 'pc' | 'metric_depth' | 'rel_depth';
type DepthFields = PointCloudFields | MetricDepthFields | RelativeDepthFields;
export type EncodedType = 'application/x-npy' | 'image/png' | 'model/ply';

/**
 * `POST /pc`: the 3-D point of each pixel, in metres, in the camera frame of OpenCV (x right,
 * y down, z forward).
 *
 * @param fields the request's fields as documented; `image` as base64 or a URL goes as JSON, as a
 *   Blob in a form, which is smaller
 * @returns the documented JSON, whose arrays {@link decodePointcloud} and {@link decodeDepthMap}
 *   read; with `binary: true` the points alone, float32 [N, 3]
 * @throws ApiError, NoAnswerError
 *
 * @example
 * const camera_intrinsics = { fx: 525, fy: 525, cx: 319.5, cy: 239.5 };
 * const image = await encodeImage('room.jpg');
 * const answer = await predictPointcloud({ image, camera_intrinsics });
 * const points = decodePointcloud(answer.pointcloud, answer.pointcloud_shape);
 */
export function predictPointcloud(
  fields: Omit<PointCloudFields, 'colors'>,
  options: RawOptions,
): Promise<RawAnswer>;
export function predictPointcloud(
  fields: PointCloudFields,
  options?: ClientOptions,
): Promise<PointCloudAnswer>;
export function predictPointcloud(fields: PointCloudFields, options?: ClientOptions) {
  return predict<PointCloudAnswer>('pc', fields, options);
}

/**
 * `POST /metric_depth`: depth in metres along the optical axis, larger is farther.
 *
 * @returns the documented JSON; with `binary: true` the map itself, float32 [H, W]
 * @throws ApiError, NoAnswerError
 *
 * @example
 * const image = Bun.file('room.jpg');
 * const { data, shape, unit } = await predictMetricDepth({ image }, { binary: true });
 */
export function predictMetricDepth(
  fields: MetricDepthFields,
  options: RawOptions,
): Promise<RawAnswer>;
export function predictMetricDepth(
  fields: MetricDepthFields,
  options?: ClientOptions,
): Promise<DepthAnswer>;
export function predictMetricDepth(fields: MetricDepthFields, options?: ClientOptions) {
  return predict<DepthAnswer>('metric_depth', fields, options);
}

/**
 * `POST /rel_depth`: depth in (0, 1), larger is farther; with `relative_model: true` disparity
 * without unit, larger is nearer. The answer's `kind` says which.
 *
 * @returns the documented JSON; with `binary: true` the map itself, float32 [H, W]
 * @throws ApiError, NoAnswerError
 */
export function predictRelativeDepth(
  fields: RelativeDepthFields,
  options: RawOptions,
): Promise<RawAnswer>;
export function predictRelativeDepth(
  fields: RelativeDepthFields,
  options?: ClientOptions,
): Promise<DepthAnswer>;
export function predictRelativeDepth(fields: RelativeDepthFields, options?: ClientOptions) {
  return predict<DepthAnswer>('rel_depth', fields, options);
}

/**
 * The answer as a file of another type, as the server encodes it: a NumPy array, a PNG (16-bit
 * millimetres of `metric_depth`; with `colormap` a colour picture of either map), or a PLY (`pc`,
 * with colours where `colors` is set).
 *
 * @throws ApiError 406 for a type that the route does not offer; NoAnswerError
 *
 * @example
 * const ply = await predictFile('pc', { image, camera_intrinsics, colors: true }, 'model/ply');
 */
export function predictFile(
  route: DepthRoute,
  fields: DepthFields,
  type: EncodedType,
  options: FileOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { colormap } = options;
  const path = colormap === undefined ? route : `${route}?colormap=${colormap}`;
  return request(path, { ...post(fields), accept: type }, options, async (response) => {
    expectType(response, type);
    return new Uint8Array(await response.arrayBuffer());
  });
}

function predict<Answer>(
  route: DepthRoute,
  fields: DepthFields,
  options: ClientOptions & { readonly binary?: true } = {},
): Promise<Answer | RawAnswer> {
  if (options.binary) return request(route, { ...post(fields), accept: RAW }, options, readRaw);
  const sent = { ...post(fields), accept: 'application/json' };
  return request(route, sent, options, readJson<Answer>);
}
