import { MediaError } from './errors.ts';

/** What a caller may send. */
export interface Base64Limits {
  /** Largest decoded size in bytes, checked before decoding. */
  readonly maxBytes: number;
  /** The request field that the text came from, for error messages. */
  readonly field: string;
}

const EXPECTED = 'expected base64 (RFC 4648), plain or as a data URL';

/**
 * Decodes base64, plain or in a data URL (`data:image/png;base64,…`; its media type is not
 * consulted, the bytes speak for themselves).
 *
 * Both alphabets of RFC 4648 are taken, not mixed. Padding is required, except in text of the
 * URL-safe alphabet, which is customarily sent without. Line breaks and tabs are skipped, as MIME
 * and `base64(1)` write them, and so are blanks at either end. A space inside is refused rather
 * than skipped: it is what form decoding makes of a `+`, and skipping it would change the bytes.
 *
 * Unlike `Buffer.from(text, 'base64')`, nothing is ever dropped in silence.
 *
 * @throws {MediaError} 413 when it would decode to more than `maxBytes`; 422 when it is empty, has
 *   a character outside the alphabet, or wrong padding.
 */
export function decodeBase64(text: string, limits: Base64Limits): Uint8Array<ArrayBuffer> {
  const { field, maxBytes } = limits;
  let payload = stripDataUrl(text, field).trim();
  if (payload === '') throw new MediaError(422, `${field} is empty; ${EXPECTED}.`, field);
  // Line breaks add up to a few per cent: count them out only where it makes a difference.
  if (decodedBytes(payload) > maxBytes) payload = payload.replace(/[\r\n\t]+/g, '');
  const size = decodedBytes(payload);
  if (size > maxBytes) {
    const found = `${field} decodes to ${size} bytes`;
    throw new MediaError(413, `${found}; at most ${maxBytes} are taken.`, field);
  }
  const alphabet = isUrlSafe(payload) ? 'base64url' : 'base64';
  const lastChunkHandling = alphabet === 'base64' || payload.endsWith('=') ? 'strict' : 'loose';
  // The native decoder would skip it.
  if (payload.includes(' ')) throw badCharacter(payload, field);
  try {
    return Uint8Array.fromBase64(payload, { alphabet, lastChunkHandling });
  } catch {
    throw badCharacter(payload, field) ?? badPadding(payload, field);
  }
}

/**
 * The bytes of a view as padded base64 of the standard alphabet: for a Float32Array, its
 * little-endian IEEE 754 values.
 */
export function encodeBase64(view: ArrayBufferView): string {
  // In Bun 1.4 Buffer's encoder is a little faster than Uint8Array's toBase64.
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('base64');
}

function stripDataUrl(text: string, field: string): string {
  const start = text.length - text.trimStart().length;
  if (!/^data:/i.test(text.slice(start, start + 5))) return text;
  const comma = text.indexOf(',', start);
  const head = comma < 0 ? text.slice(start, start + 80) : text.slice(start, comma);
  if (comma < 0 || !/;\s*base64\s*$/i.test(head)) {
    const given = `a data URL that begins with '${head.slice(0, 80)}'`;
    throw new MediaError(422, `${field} is ${given}; expected 'data:<type>;base64,…'.`, field);
  }
  return text.slice(comma + 1);
}

/** Size of the decoded bytes, exact for text without white space. */
function decodedBytes(payload: string): number {
  const padding = payload.endsWith('==') ? 2 : payload.endsWith('=') ? 1 : 0;
  return Math.floor(((payload.length - padding) * 3) / 4);
}

function isUrlSafe(payload: string): boolean {
  return payload.includes('-') || payload.includes('_');
}

function badCharacter(payload: string, field: string): MediaError | null {
  const allowed = isUrlSafe(payload) ? /[^A-Za-z0-9_\-=\r\n\t\f]/u : /[^A-Za-z0-9+/=\r\n\t\f]/u;
  const found = allowed.exec(payload);
  if (!found) return null;
  const where = `${JSON.stringify(found[0])} at position ${found.index} of its base64`;
  return new MediaError(422, `${field} has ${where}; ${EXPECTED}.${hint(found[0])}`, field);
}

function hint(character: string): string {
  if (character === ' ') return ' A space is often a + lost to form decoding: percent-encode it.';
  if ('+/'.includes(character)) return ' The standard and the URL-safe alphabet are mixed.';
  return '';
}

function badPadding(payload: string, field: string): MediaError {
  const length = payload.replace(/[\r\n\t\f]+/g, '').length;
  const given = `${length} base64 characters whose end does not decode`;
  const wanted = "expected a multiple of 4, with '=' only as padding at the end";
  return new MediaError(422, `${field} has ${given}; ${wanted}. It may have been cut.`, field);
}
