import { MediaError } from './errors.ts';

/** What the parser stumbles over lies in the caller's file; what the system says does not. */
export function unreadable(cause: unknown, field: string): unknown {
  if (!(cause instanceof Error) || cause instanceof MediaError || 'errno' in cause) return cause;
  if (cause.name === 'AbortError' || cause.name === 'TimeoutError') return cause;
  const reason = cause.message
    .split('\n', 1)[0]
    .replace(/[\s.:]+$/, '')
    .slice(0, 120);
  const message = `${field} is truncated or corrupt: ${reason}. Send a whole file.`;
  return new MediaError(422, message, field);
}
