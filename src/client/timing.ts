/** A stage of the server's work. */
export interface Stage {
  readonly name: string;
  readonly milliseconds: number;
}

/**
 * Reads a `Server-Timing` header (W3C Server Timing), in its order; entries without a duration are
 * left out.
 *
 * @example
 * const onHeaders = (headers: Headers) => console.table(serverStages(headers));
 * await predictMetricDepth({ image }, { onHeaders });
 */
export function serverStages(headers: Headers): Stage[] {
  return (headers.get('server-timing') ?? '').split(',').flatMap((entry) => {
    const [name, ...parameters] = entry.split(';').map((part) => part.trim());
    const duration = parameters.find((parameter) => /^dur=/i.test(parameter));
    if (!name || duration === undefined) return [];
    return [{ name, milliseconds: Number(duration.slice('dur='.length)) }];
  });
}
