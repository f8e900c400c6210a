import type { EstimateAnswer, TrackAnswer } from '../pose/answers.ts';
import type { FoundationPoseAnswer, FoundationPoseFields } from '../pose/foundationpose/schema.ts';
import type { EstimateFields, TrackFields } from '../pose/schema.ts';
import { post } from './body.ts';
import { type ClientOptions, readJson, request } from './connection.ts';

/**
 * `POST /api/v1/pose/estimate`: where objects are in a frame of colour and depth. Each has a mesh and
 * a mask, or a prompt by which segmentation finds the mask.
 *
 * @param fields the request's fields as documented; files as base64 go as JSON, as Blobs, those of
 *   objects too, in a form, which is smaller
 * @returns the documented JSON: for each object `pose`, 4×4 rows, object → camera in metres, and how
 *   sure it is
 * @throws ApiError, NoAnswerError
 *
 * @example
 * const objects = [{ mesh: Bun.file('can.ply'), mesh_scale: 0.001, mask: Bun.file('mask.png') }];
 * const frame = { image: Bun.file('rgb.png'), depth: Bun.file('depth.png'), camera_matrix };
 * const { objects: [can] } = await estimatePose({ ...frame, objects });
 * console.log(can.pose, can.inlier_fraction, can.warnings);
 */
export function estimatePose(
  fields: EstimateFields,
  options: ClientOptions = {},
): Promise<EstimateAnswer> {
  const sent = { ...postObjects(fields), accept: 'application/json' };
  return request('api/v1/pose/estimate', sent, options, readJson<EstimateAnswer>);
}

/**
 * `POST /api/v1/pose/track`: where objects are that were near a frame ago; each goes on from its last
 * `pose`, without a mask.
 *
 * @throws ApiError, NoAnswerError
 *
 * @example
 * const objects = [{ mesh, pose: last }];
 * const { objects: [can] } = await trackPose({ ...frame, objects });
 */
export function trackPose(fields: TrackFields, options: ClientOptions = {}): Promise<TrackAnswer> {
  const sent = { ...postObjects(fields), accept: 'application/json' };
  return request('api/v1/pose/track', sent, options, readJson<TrackAnswer>);
}

/**
 * `POST /foundationpose`: the request of the FoundationPose REST API, and its answer.
 *
 * @param fields as documented: files as base64, such as {@link encodeImage} gives
 * @throws ApiError whose status is the document's (402 for a field, 403 where there is no pose);
 *   NoAnswerError
 *
 * @example
 * const images = [{ filename: 'frame_000', rgb, depth }];
 * const answer = await foundationPose({ camera_matrix, images, mask, mesh });
 * console.log(answer.transformation_matrix);
 */
export function foundationPose(
  fields: FoundationPoseFields,
  options: ClientOptions = {},
): Promise<FoundationPoseAnswer> {
  const sent = { ...post(fields), accept: 'application/json' };
  return request('foundationpose', sent, options, readJson<FoundationPoseAnswer>);
}

/** Files of objects go beside them in the form, under names that stand in their place. */
function postObjects(fields: EstimateFields | TrackFields) {
  const files: Record<string, Blob> = {};
  const objects = fields.objects.map((object, i) => {
    const plain = Object.entries(object).map(([name, value]) => {
      if (!(value instanceof Blob)) return [name, value];
      const field = `objects.${i}.${name}`;
      files[field] = value;
      return [name, field];
    });
    return Object.fromEntries(plain);
  });
  return post({ ...fields, ...files, objects });
}
