import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';

export interface HashOptions {
  readonly signal?: AbortSignal;
  /** Called with the number of bytes hashed so far. */
  readonly onProgress?: (bytes: number) => void;
}

/** SHA-256 of a file, streamed; lower-case hex. */
export async function sha256OfFile(path: string, options: HashOptions = {}): Promise<string> {
  return (await hashFile(path, options)).digest('hex');
}

/** A SHA-256 in progress, fed with all of a file, to be carried on with what follows it. */
export async function hashFile(path: string, options: HashOptions = {}): Promise<Hash> {
  const hash = createHash('sha256');
  let bytes = 0;
  const stream = createReadStream(path, { highWaterMark: 1 << 20, signal: options.signal });
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.byteLength;
    options.onProgress?.(bytes);
  }
  return hash;
}
