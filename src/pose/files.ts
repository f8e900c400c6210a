import { decodeBase64 } from '../media/base64.ts';

/** A file of a request: base64, plain or in a data URL; in a form the file itself. */
export type SentFile = string | Blob;

/** @throws {MediaError} 422 for what is no base64, 413 for more than `maxBytes`. */
export async function fileBytes(
  sent: SentFile,
  limits: { readonly maxBytes: number; readonly field: string },
): Promise<Uint8Array<ArrayBuffer>> {
  return sent instanceof Blob ? sent.bytes() : decodeBase64(sent, limits);
}
