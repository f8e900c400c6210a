interface Json {
  readonly [key: string]: unknown;
}

/**
 * Adapts the docs plugin's file to what is true of our routes and to OpenAPI 3.0, in which it is
 * written: request bodies are JSON or multipart and no other; a schema has one `example` in place
 * of `examples`, `nullable` in place of a null type, `enum` in place of `const`.
 */
export function adaptOpenApi(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(adaptOpenApi);
  if (!isObject(node)) return node;
  const { examples, anyOf, const: constant, ...rest } = node;
  const adapted = Object.entries(rest).map(([key, value]) => [
    key,
    key === 'requestBody' ? withoutText(adaptOpenApi(value)) : adaptOpenApi(value),
  ]);
  return {
    ...Object.fromEntries(adapted),
    ...(Array.isArray(examples) && { example: examples[0] }),
    ...(constant !== undefined && { enum: [constant] }),
    ...(Array.isArray(anyOf) && alternatives(anyOf)),
  };
}

function alternatives(anyOf: readonly Json[]): Json {
  const types = anyOf.filter(({ type }) => type !== 'null').map(adaptOpenApi) as Json[];
  const nullable = types.length < anyOf.length ? { nullable: true } : {};
  return types.length === 1 ? { ...types[0], ...nullable } : { anyOf: types, ...nullable };
}

function withoutText(body: unknown): unknown {
  const { content, ...rest } = body as { content: Json };
  const { 'text/plain': _, ...taken } = content;
  return { ...rest, content: taken };
}

function isObject(value: unknown): value is Json {
  return value !== null && typeof value === 'object';
}
