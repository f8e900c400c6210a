import { MalformedError } from './errors.ts';

/** Letters and digits of any script, and what is plain in every file system. */
const SAFE = /^[\p{L}\p{N}_ .,()+@=-]{1,100}$/u;

/** What a file system takes, less room for an extension. */
const MAX_BYTES = 200;

/**
 * A frame's name as that of a file in one folder: without a `.png` at its end.
 *
 * @param field how the request calls it
 * @throws MalformedError for one with a folder, `..`, a control character, or of more than 100
 *   characters
 */
export function safeFileName(given: string, field: string): string {
  const name = given.replace(/\.png$/i, '');
  const isSafe = SAFE.test(name) && Buffer.byteLength(name) <= MAX_BYTES;
  if (isSafe && !name.includes('..') && !/^[ .]|[ .]$/.test(name)) return name;
  throw new MalformedError(
    `${field}: given ${JSON.stringify(given.slice(0, 60))}, expected the name of a file: letters, digits, blanks and _ . , ( ) + @ = - , at most 100, without "..", a folder, or a dot or blank at its ends`,
  );
}
