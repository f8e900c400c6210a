import { Value } from '@sinclair/typebox/value';
import { describeProblem } from '../../api/validation.ts';
import { cameraOf } from '../camera.ts';
import type { Intrinsics } from '../crops.ts';
import { MalformedError } from './errors.ts';
import { safeFileName } from './file_name.ts';
import { FoundationPoseBody, type FoundationPoseFields } from './schema.ts';

/** A request, checked but for its files. */
export interface SequenceQuery {
  readonly intrinsics: Intrinsics;
  readonly cameraMatrix: readonly (readonly number[])[];
  readonly images: readonly {
    /** Of a file, without extension. */
    readonly name: string;
    /** Base64 of encoded files. */
    readonly rgb: string;
    readonly depth: string;
  }[];
  readonly mask: string;
  readonly mesh: string;
  /** Metres per unit. */
  readonly depthScale: number;
  readonly meshScale: number;
}

/** JSON's values that say nothing. */
export function isEmpty(json: unknown): boolean {
  if (json === null || typeof json !== 'object') return !json;
  if (Array.isArray(json)) return json.length === 0;
  for (const _ in json) return false;
  return true;
}

/** @throws MalformedError naming the first field that is missing or malformed */
export function sequenceQuery(json: unknown): SequenceQuery {
  const fields = checkFields(withoutNulls(json));
  const { camera_matrix: cameraMatrix, mask, mesh, depthscale, mesh_scale } = fields;
  const images = fields.images.map(({ filename, rgb, depth }, i) => {
    return { name: safeFileName(filename, `images.${i}.filename`), rgb, depth };
  });
  const again = images.findIndex(({ name }, i) => images.findIndex((one) => one.name === name) < i);
  if (again >= 0) {
    throw new MalformedError(
      `images.${again}.filename: given "${images[again].name}" again; expected a name of its own`,
    );
  }
  return {
    intrinsics: camera(cameraMatrix),
    cameraMatrix,
    images,
    mask,
    mesh,
    depthScale: depthscale ?? 0.001,
    meshScale: mesh_scale ?? 1,
  };
}

function checkFields(json: unknown): FoundationPoseFields {
  if (Value.Check(FoundationPoseBody, json)) return json;
  const problem = Value.Errors(FoundationPoseBody, json).First();
  throw new MalformedError(problem ? describeProblem(problem) : 'the body: expected an object');
}

function camera(matrix: readonly (readonly number[])[]): Intrinsics {
  try {
    return cameraOf(matrix, 'camera_matrix');
  } catch (error) {
    throw error instanceof RangeError ? new MalformedError(error.message) : error;
  }
}

/** Clients write what they leave out as null. */
function withoutNulls(json: unknown): unknown {
  if (json === null || typeof json !== 'object' || Array.isArray(json)) return json;
  return Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null));
}
