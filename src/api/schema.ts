import { Kind, type TSchema, type TUnsafe, Type, TypeRegistry } from '@sinclair/typebox';
import { t } from 'elysia';

/** The body of every error. */
const ErrorBody = Type.Object({
  detail: Type.String({
    description: 'What was given, what was expected, and what to do',
    examples: ['max_depth: expected metres above 0, given 0'],
  }),
});

/** One of some names; an enum in the docs. */
export function OneOf<const N extends string>(
  names: readonly [N, ...N[]],
  options: { description: string; examples?: N[]; default?: N },
) {
  return t.UnionEnum([...names], { default: undefined, ...options });
}

TypeRegistry.Set('FormFile', (_schema, value) => value instanceof Blob);

/** A file of a multipart form. Elysia's own would also turn its sibling objects into text. */
export function FormFile(): TUnsafe<Blob> {
  return { ...Type.Unsafe<Blob>({ type: 'string', format: 'binary' }), [Kind]: 'FormFile' };
}

interface RouteDocumentation {
  readonly summary: string;
  readonly description: string;
  /** Of a JSON body that no schema of the route's own checks. */
  readonly body?: TSchema;
  /** Where it can be JSON. */
  readonly answer?: TSchema;
  /** Further media types of the answer, with what they hold. */
  readonly forms?: Readonly<Record<string, string>>;
  /** Why a status is answered. */
  readonly errors?: Readonly<Record<number, string>>;
  /** The body of these. @default {"detail": …} */
  readonly errorBody?: TSchema;
}

/**
 * A route's OpenAPI operation but for its body and query, which the docs plugin adds. Answers are
 * written out because the plugin would list each under media types that the route does not offer.
 */
export function documentation(route: RouteDocumentation) {
  const { summary, description, body, answer, forms = {}, errors = {} } = route;
  const { errorBody = ErrorBody } = route;
  const binary = Object.entries(forms).map(([type, holds]) => [
    type,
    {
      schema: {
        type: 'string',
        ...(!type.startsWith('text/') && { format: 'binary' }),
        description: holds,
      },
    },
  ]);
  const failures = Object.entries(errors).map(([status, reason]) => [
    status,
    { description: reason, content: { 'application/json': { schema: errorBody } } },
  ]);
  return {
    summary,
    description,
    ...(body && { requestBody: { required: true, content: jsonContent(body) } }),
    responses: {
      200: {
        description: summary,
        content: {
          ...(answer && { 'application/json': { schema: answer } }),
          ...Object.fromEntries(binary),
        },
      },
      ...Object.fromEntries(failures),
    },
  };
}

function jsonContent(schema: object): Record<string, object> {
  return { 'application/json': { schema } };
}
