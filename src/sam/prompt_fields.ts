import { HttpError } from '../api/errors.ts';
import { shorten } from '../api/validation.ts';
import { MAX_POINTS, MAX_PROMPTS } from './prompt_schema.ts';

type Fields = Record<string, unknown>;

/**
 * A body's fields as the schema describes them: what is null is absent, as clients write every
 * member of a prompt; a `type` is lower case.
 *
 * What lists and objects are is looked at here, not only by the schema: before its check the router
 * copies a body into the schema's shape, so that it would take a text for a list of its letters, any
 * object with a `length` for as long a list, and a number for an object without fields.
 *
 * @throws HttpError 422 naming what is no list, no object, or too long
 */
export function plainFields(body: Fields): Fields {
  const { prompts, ...rest } = withoutNulls(body);
  requireList('text_prompts', rest.text_prompts, MAX_PROMPTS);
  requireList('prompts', prompts, MAX_PROMPTS);
  return prompts === undefined
    ? rest
    : {
        ...rest,
        prompts: (prompts as unknown[]).map((one, i) => plainPrompt(one, `prompts.${i}`)),
      };
}

/**
 * One prompt, as {@link plainFields} has it.
 *
 * @param where how the request calls it
 * @throws HttpError 422
 */
export function plainPrompt(prompt: unknown, where: string): Fields {
  if (prompt === null || typeof prompt !== 'object' || Array.isArray(prompt)) {
    throw new HttpError(422, `${where}: expected an object, given ${shorten(prompt)}`);
  }
  const fields = withoutNulls(prompt as Fields);
  for (const name of ['points', 'point_labels', 'box']) {
    requireList(`${where}.${name}`, fields[name], MAX_POINTS);
  }
  const { type, points = [] } = fields;
  for (const [i, point] of (points as unknown[]).entries()) {
    requireList(`${where}.points.${i}`, point, MAX_POINTS);
  }
  return typeof type === 'string' ? { ...fields, type: type.toLowerCase() } : fields;
}

function requireList(field: string, value: unknown, most: number): void {
  if (value === undefined) return;
  if (!Array.isArray(value)) {
    throw new HttpError(422, `${field}: expected a list, given ${shorten(value)}`);
  }
  if (value.length > most) {
    throw new HttpError(422, `${field}: expected at most ${most}, given ${value.length}`);
  }
}

function withoutNulls(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
