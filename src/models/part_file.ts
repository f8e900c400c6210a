import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { type Static, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { ModelError } from './errors.ts';
import { hashFile } from './file_hash.ts';

/** What a server said of the file that a part belongs to (RFC 9110, 8.8). */
const Validators = Type.Object({
  etag: Type.Optional(Type.String()),
  lastModified: Type.Optional(Type.String()),
  total: Type.Optional(Type.Integer({ minimum: 0 })),
  /** The file's SHA-256 as the first host names it, lower-case hex. */
  announcedSha256: Type.Optional(Type.String()),
});
export type Validators = Static<typeof Validators>;

/**
 * A download in progress: `<file>.part` holds the bytes that have come, `<file>.part.json` what they
 * are part of, and a hash runs along. Nothing appears under the final name until `finish`.
 */
export class PartFile {
  private constructor(
    private readonly target: string,
    private handle: FileHandle,
    private hash: Hash,
    private received: number,
    private said: Validators,
  ) {}

  /** Opens the part of an earlier download, or a new one; hashes what is there already. */
  static async open(target: string, signal?: AbortSignal): Promise<PartFile> {
    const path = `${target}.part`;
    const size = await stat(path).then(
      (found) => found.size,
      () => 0,
    );
    const handle = await open(path, size > 0 ? 'r+' : 'w');
    try {
      const hash = size > 0 ? await hashFile(path, { signal }) : createHash('sha256');
      return new PartFile(target, handle, hash, size, size > 0 ? await readValidators(path) : {});
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  get bytes(): number {
    return this.received;
  }

  get validators(): Validators {
    return this.said;
  }

  /** Forgets everything that came so far. */
  async restart(): Promise<void> {
    await this.handle.truncate(0);
    this.hash = createHash('sha256');
    this.received = 0;
    await this.remember({});
  }

  /** Notes what the bytes belong to, for a later run to ask for the rest of. */
  async remember(validators: Validators): Promise<void> {
    this.said = validators;
    await writeFile(`${this.target}.part.json`, JSON.stringify(validators));
  }

  /** @throws ModelError `disk-full`. */
  async append(chunk: Uint8Array): Promise<void> {
    let written = 0;
    while (written < chunk.byteLength) {
      const position = this.received + written;
      const result = await this.handle
        .write(chunk, written, chunk.byteLength - written, position)
        .catch((cause: NodeJS.ErrnoException) => {
          if (cause.code !== 'ENOSPC' && cause.code !== 'EDQUOT') throw cause;
          throw new ModelError(
            'disk-full',
            `no room left for ${this.target} after ${position} bytes; free some space, or set ` +
              'TRIPTYCH_HOME to a folder on another disk',
            { cause },
          );
        });
      written += result.bytesWritten;
    }
    this.hash.update(chunk);
    this.received += chunk.byteLength;
  }

  /** SHA-256 of the bytes so far, lower-case hex. */
  sha256(): string {
    return this.hash.copy().digest('hex');
  }

  /** Puts the file under its final name, on disk before it is visible. */
  async finish(): Promise<void> {
    await this.handle.sync();
    await this.handle.close();
    await rename(`${this.target}.part`, this.target);
    await rm(`${this.target}.part.json`, { force: true });
  }

  /** Removes the bytes that came. */
  async discard(): Promise<void> {
    await this.close();
    await rm(`${this.target}.part`, { force: true });
    await rm(`${this.target}.part.json`, { force: true });
  }

  /** Keeps the bytes for a later run. */
  async close(): Promise<void> {
    await this.handle.close();
  }
}

async function readValidators(partPath: string): Promise<Validators> {
  try {
    const value: unknown = JSON.parse(await readFile(`${partPath}.json`, 'utf8'));
    return Value.Check(Validators, value) ? value : {};
  } catch {
    return {};
  }
}
