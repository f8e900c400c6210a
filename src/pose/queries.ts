import { HttpError } from '../api/errors.ts';
import { cameraOf } from './camera.ts';
import type { Intrinsics } from './crops.ts';
import type { SentFile } from './files.ts';
import type { SentDepth } from './frame.ts';
import { madeRigid, rigidProblem } from './rigid.ts';
import type { EstimateFields, ObjectFields, SymmetryFields, TrackFields } from './schema.ts';
import type { SentObject } from './service.ts';
import type { Symmetries } from './symmetry.ts';

const DEPTH_SCALE = 0.001;

/** Given poses may have few digits. */
const GIVEN_TOLERANCE = 5e-3;

/** @throws HttpError 422 naming the field */
export function cameraQuery({
  camera_matrix: matrix,
  camera_intrinsics: given,
}: EstimateFields | TrackFields): Intrinsics {
  if ((matrix === undefined) === (given === undefined)) {
    const sent = matrix === undefined ? 'neither' : 'both';
    throw new HttpError(
      422,
      `camera_matrix: expected the camera's intrinsics in camera_matrix or camera_intrinsics, given ${sent}`,
    );
  }
  const { fx, fy, cx, cy } = given ?? { fx: 0, fy: 0, cx: 0, cy: 0 };
  const rows = matrix ?? [
    [fx, 0, cx],
    [0, fy, cy],
    [0, 0, 1],
  ];
  try {
    return cameraOf(rows, matrix ? 'camera_matrix' : 'camera_intrinsics');
  } catch (error) {
    throw error instanceof RangeError ? new HttpError(422, error.message) : error;
  }
}

/** @throws HttpError 400 where there is none */
export function depthQuery({ depth, depth_scale }: EstimateFields | TrackFields): SentDepth {
  if (depth === undefined) {
    throw new HttpError(
      400,
      'depth: there is none, and both methods find poses by it: send a 16-bit grey PNG in millimetres (or with depth_scale), registered to the picture. Without a depth camera, POST /metric_depth with Accept: image/png estimates one from the picture, whose metres are only as good as its model',
    );
  }
  return { file: depth, scale: depth_scale ?? DEPTH_SCALE, field: 'depth', imageField: 'image' };
}

type AnyObject = Pick<ObjectFields, 'mesh' | 'texture' | 'material' | 'mesh_scale' | 'symmetries'>;

/** Object `index` of a request. */
export function objectQuery(fields: AnyObject, index: number): SentObject {
  const { mesh, texture, material, mesh_scale: meshScale = 1, symmetries } = fields;
  const files: { mesh: SentFile; texture?: SentFile; material?: SentFile } = { mesh };
  if (texture !== undefined) files.texture = texture;
  if (material !== undefined) files.material = material;
  return {
    ...files,
    meshScale,
    symmetries: inMetres(symmetries ?? {}, meshScale),
    prefix: `objects.${index}.`,
  };
}

/** Lengths of symmetries are in the mesh's units. */
function inMetres({ discrete, continuous }: SymmetryFields, scale: number): Symmetries {
  return {
    discrete: discrete?.map((matrix) => {
      const values = matrix.flat();
      if (values.length !== 16) return values;
      return values.map((value, at) => (at % 4 === 3 && at < 12 ? value * scale : value));
    }),
    continuous: continuous?.map(({ axis, offset }) => ({
      axis,
      ...(offset && { offset: offset.map((value) => value * scale) }),
    })),
  };
}

/**
 * A pose as it was sent, row by row.
 *
 * @returns float32 [4, 4], made exactly rigid
 * @throws HttpError 422 for what is no rigid transform
 */
export function poseQuery(
  rows: readonly (readonly number[])[],
  field: string,
): Float32Array<ArrayBuffer> {
  const refuse = (what: string) => {
    const expected = 'expected a pose as it was answered: 4 rows of 4 numbers, row by row';
    return new HttpError(422, `${field}: ${what}; ${expected}`);
  };
  if (rows.length !== 4 || rows.some((row) => row.length !== 4)) {
    throw refuse(`given rows of ${rows.map((row) => row.length).join(', ')} numbers`);
  }
  const pose = rows.flat();
  const problem = rigidProblem(pose, GIVEN_TOLERANCE);
  if (problem) throw refuse(problem);
  return madeRigid(pose);
}
