import type { ValidationError } from 'elysia';

/** One line for a request that its schema refuses: the field, what is expected, what was given. */
export function describeValidation(error: ValidationError): string {
  const first = error.all[0];
  return first && 'path' in first ? describeProblem(first) : error.message;
}

/** What a schema has against a value, as TypeBox tells it. */
interface Problem {
  readonly path: string;
  readonly message: string;
  readonly value: unknown;
  readonly schema?: Described;
}

/** One line: the field, what is expected, what was given. */
export function describeProblem({ path, message, value, schema = {} }: Problem): string {
  const field = path.slice(1).replaceAll('/', '.') || 'the body';
  const hint = schema.description ? `. ${schema.description}` : '';
  return `${field}: ${expected(schema, message)}, given ${shorten(value)}${hint}`;
}

interface Described {
  readonly description?: string;
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly Described[];
}

/** TypeBox's own words, except where a choice is refused, which it does not spell out. */
function expected(schema: Described, message: string): string {
  if (message === 'Expected required property') return 'required';
  if (schema.enum) return `expected one of ${schema.enum.join(', ')}`;
  if (schema.anyOf)
    return `expected ${[...new Set(schema.anyOf.map(({ type }) => type))].join(' or ')}`;
  return message.replace(/^Expected/, 'expected');
}

/** A value in an error's words, cut to a line's length. */
export function shorten(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
