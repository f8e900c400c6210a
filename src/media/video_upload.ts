import { mkdir, open, readdir, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { MediaError } from './errors.ts';

/** A process shows that it lives this often… */
const HEARTBEAT_MS = 30_000;
/** …and its files are taken for left behind when it has not for this long. */
const STALE_MS = 600_000;

/** Folders of this very process. */
const own = new Set<string>();

/** The files of all callers together leave no room; another time they may. */
export class UploadSpaceFullError extends MediaError {
  constructor(quotaBytes: number, field: string) {
    const room = `the ${quotaBytes} bytes for uploaded videos are in use`;
    super(503, `${field}: ${room}. Try again later, or close sessions.`, field);
  }
}

export interface StoreOptions {
  /** Largest file in bytes. */
  readonly maxBytes: number;
  /** The request field, for error messages. */
  readonly field: string;
  readonly signal?: AbortSignal;
}

/** A stored file. */
export interface Upload {
  readonly path: string;
  readonly bytes: number;
  /** Removes the file and gives its room back. May be called twice. */
  release(): Promise<void>;
}

/**
 * Temporary files of uploaded videos under a common quota, in a folder that several processes may
 * share. What a process that crashed has left is removed when the next one opens the space.
 */
export class UploadSpace {
  private used = 0;
  private files = 0;
  private readonly heartbeat: ReturnType<typeof setInterval>;

  private constructor(
    private readonly folder: string,
    private readonly quotaBytes: number,
  ) {
    this.heartbeat = setInterval(() => void touch(folder), HEARTBEAT_MS);
    this.heartbeat.unref();
  }

  /** @param parent made if absent; nothing but uploads may lie in it */
  static async open(parent: string, quotaBytes: number): Promise<UploadSpace> {
    await mkdir(parent, { recursive: true, mode: 0o700 });
    await removeLeftovers(parent);
    const folder = join(parent, `${process.pid}@${host()}@${crypto.randomUUID()}`);
    own.add(folder);
    await mkdir(folder, { mode: 0o700 });
    return new UploadSpace(folder, quotaBytes);
  }

  /** Bytes that stored files take, and those that are arriving. */
  get usedBytes(): number {
    return this.used;
  }

  /**
   * Writes a file as it arrives.
   *
   * @throws {MediaError} 413 past `maxBytes`
   * @throws {UploadSpaceFullError} 503 past the quota
   * @throws what `chunks` throws, or the signal's reason; nothing is left behind
   */
  async store(
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    options: StoreOptions,
  ): Promise<Upload> {
    const path = join(this.folder, String(this.files++));
    let bytes = 0;
    const release = async () => {
      this.used -= bytes;
      bytes = 0;
      await rm(path, { force: true });
    };
    try {
      const file = await open(path, 'wx', 0o600);
      try {
        for await (const chunk of chunks) {
          options.signal?.throwIfAborted();
          this.reserve(bytes, chunk.byteLength, options);
          bytes += chunk.byteLength;
          await file.writeFile(chunk);
        }
      } finally {
        await file.close();
      }
    } catch (cause) {
      await release();
      const isDiskFull = cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC';
      throw isDiskFull ? new UploadSpaceFullError(this.quotaBytes, options.field) : cause;
    }
    return { path, bytes, release };
  }

  /** Removes all files. */
  async close(): Promise<void> {
    clearInterval(this.heartbeat);
    this.used = 0;
    own.delete(this.folder);
    await rm(this.folder, { recursive: true, force: true });
  }

  private reserve(before: number, more: number, { maxBytes, field }: StoreOptions): void {
    if (before + more > maxBytes) {
      const given = `${field} has more than ${maxBytes} bytes, the most taken`;
      throw new MediaError(413, `${given}. Send a smaller video.`, field);
    }
    if (this.used + more > this.quotaBytes) throw new UploadSpaceFullError(this.quotaBytes, field);
    this.used += more;
  }
}

/** A host's name as part of a file name. */
const host = () => hostname().replace(/[^\w.-]/g, '_');

async function touch(folder: string): Promise<void> {
  const now = new Date();
  await utimes(folder, now, now).catch(() => {});
}

async function removeLeftovers(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const folder = join(parent, name);
    const parts = name.split('@');
    if (parts.length !== 3 || own.has(folder)) continue;
    if (await isLeft(folder, Number(parts[0]), parts[1])) {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

async function isLeft(folder: string, pid: number, where: string): Promise<boolean> {
  // In a container every server has the same number: ours is no other process's.
  if (where === host() && (pid === process.pid || !isAlive(pid))) return true;
  const found = await stat(folder).catch(() => null);
  return found !== null && Date.now() - found.mtimeMs > STALE_MS;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
