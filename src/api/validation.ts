import type { ValidationError } from 'elysia';

/** One line for a request that its schema refuses: the field, what is expected, what was given. */
export function describeValidation(error: ValidationError): string {
  const first = error.all[0];
  if (!first || !('path' in first)) return error.message;
  const field = first.path.slice(1).replaceAll('/', '.') || 'the body';
  const schema: Described = first.schema ?? {};
  const hint = schema.description ? `. ${schema.description}` : '';
  return `${field}: ${expected(schema, first.message)}, given ${shorten(first.value)}${hint}`;
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

function shorten(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
