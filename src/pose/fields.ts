import { HttpError } from '../api/errors.ts';
import { shorten } from '../api/validation.ts';
import { plainPrompt } from '../sam/prompt_fields.ts';
import { MAX_OBJECTS, MAX_SYMMETRIES } from './schema.ts';

type Fields = Record<string, unknown>;

/** Fields of an object that may name a file of the form. */
const FILES = ['mesh', 'texture', 'material', 'mask'];

/**
 * A body's fields as the schema describes them: what is null is absent; names of a form's files
 * inside `objects` are replaced by the files.
 *
 * What lists and objects are is looked at here, as in `plainFields` of src/sam/prompt_fields.ts.
 *
 * @throws HttpError 422 naming what is no list, no object, or too long
 */
export function poseFields(body: Fields): Fields {
  const fields = withoutNulls(body);
  requireRows('camera_matrix', fields.camera_matrix);
  requireObject('camera_intrinsics', fields.camera_intrinsics);
  const { objects } = fields;
  requireList('objects', objects, MAX_OBJECTS);
  if (objects === undefined) return fields;
  const plain = (objects as unknown[]).map((one, i) => plainObject(one, `objects.${i}`, fields));
  return { ...fields, objects: plain };
}

function plainObject(object: unknown, where: string, form: Fields): Fields {
  if (!isObject(object)) throw refusal(where, 'an object', object);
  const fields = withoutNulls(object);
  requireRows(`${where}.pose`, fields.pose);
  requireObject(`${where}.symmetries`, fields.symmetries);
  if (fields.prompt !== undefined) fields.prompt = plainPrompt(fields.prompt, `${where}.prompt`);
  if (isObject(fields.symmetries)) {
    fields.symmetries = plainSymmetries(fields.symmetries, `${where}.symmetries`);
  }
  for (const name of FILES) {
    const value = fields[name];
    const sent = typeof value === 'string' && Object.hasOwn(form, value) ? form[value] : null;
    if (sent instanceof Blob) fields[name] = sent;
  }
  if (isObject(fields.mask) && !(fields.mask instanceof Blob)) {
    requireList(`${where}.mask.size`, fields.mask.size, 2);
  }
  return fields;
}

function plainSymmetries(symmetries: Fields, where: string): Fields {
  const { discrete, continuous, ...rest } = withoutNulls(symmetries);
  requireList(`${where}.discrete`, discrete, MAX_SYMMETRIES);
  for (const [i, matrix] of ((discrete ?? []) as unknown[]).entries()) {
    const field = `${where}.discrete.${i}`;
    requireList(field, matrix, 16);
    if (Array.isArray(matrix?.[0 as never])) requireRows(field, matrix);
  }
  requireList(`${where}.continuous`, continuous, MAX_SYMMETRIES);
  const axes = ((continuous ?? []) as unknown[]).map((axis, i) => {
    const field = `${where}.continuous.${i}`;
    if (!isObject(axis)) throw refusal(field, 'an object', axis);
    const one = withoutNulls(axis);
    requireList(`${field}.axis`, one.axis, 3);
    requireList(`${field}.offset`, one.offset, 3);
    return one;
  });
  return {
    ...rest,
    ...(discrete !== undefined && { discrete }),
    ...(continuous !== undefined && { continuous: axes }),
  };
}

/** A matrix is a short list of short lists; how many it needs is said where its meaning is known. */
function requireRows(field: string, value: unknown): void {
  requireList(field, value, 16);
  for (const [i, row] of ((value ?? []) as unknown[]).entries()) {
    if (!Array.isArray(row)) throw refusal(`${field}.${i}`, 'a row of numbers', row);
    requireList(`${field}.${i}`, row, 16);
  }
}

function requireList(field: string, value: unknown, most: number): void {
  if (value === undefined) return;
  if (!Array.isArray(value)) throw refusal(field, 'a list', value);
  if (value.length <= most) return;
  throw new HttpError(422, `${field}: expected at most ${most}, given ${value.length}`);
}

function requireObject(field: string, value: unknown): void {
  if (value !== undefined && !isObject(value)) throw refusal(field, 'an object', value);
}

function refusal(field: string, expected: string, given: unknown): HttpError {
  return new HttpError(422, `${field}: expected ${expected}, given ${shorten(given)}`);
}

function isObject(value: unknown): value is Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function withoutNulls(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
