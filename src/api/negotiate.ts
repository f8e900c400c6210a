import { HttpError } from './errors.ts';

interface Wanted {
  readonly type: string;
  readonly quality: number;
}

/**
 * Chooses the media type for an answer by the `Accept` header (RFC 9110, 12.5.1): the highest
 * quality wins, then the order of `offered`, whose first is the answer to `*` and to no header.
 *
 * @throws HttpError 406 naming what is offered
 */
export function negotiate<T extends string>(accept: string | null, offered: readonly T[]): T {
  if (accept === null || accept.trim() === '') return offered[0];
  const wanted = accept.split(',').map(parseRange);
  const qualities = offered.map((type) => qualityOf(type, wanted));
  const best = Math.max(...qualities);
  if (best > 0) return offered[qualities.indexOf(best)];
  throw new HttpError(
    406,
    `Accept: ${accept.slice(0, 100)}; this route offers ${offered.join(', ')}`,
  );
}

function parseRange(range: string): Wanted {
  const [type, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
  const q = parameters.find((parameter) => parameter.startsWith('q='));
  const quality = q === undefined ? 1 : Number.parseFloat(q.slice(2));
  return { type, quality: Number.isFinite(quality) ? quality : 0 };
}

/** The quality of the most specific range that covers the type. */
function qualityOf(type: string, wanted: readonly Wanted[]): number {
  const [group] = type.split('/');
  for (const range of [type, `${group}/*`, '*/*']) {
    const match = wanted.find((candidate) => candidate.type === range);
    if (match) return match.quality;
  }
  return 0;
}
