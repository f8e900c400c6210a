import { UsageError } from './example_connection.ts';

/**
 * Points with spaces between them.
 *
 * @throws UsageError
 */
export function points(flag: string, text = ''): number[][] {
  return text
    .split(/\s+/)
    .filter(Boolean)
    .map((point) => numbers(flag, point, 2));
}

/**
 * Numbers with commas between them; the server says which values it takes.
 *
 * @throws UsageError
 */
export function numbers(flag: string, text: string, count: number): number[] {
  const values = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (values.length === count && values.every((value) => Number.isFinite(value))) return values;
  throw new UsageError(`--${flag}: expected ${count} numbers, given "${text}"`);
}
