import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { ModelError } from './errors.ts';

/** A lock file is refreshed this often… */
const HEARTBEAT_MS = 10_000;
/** …and taken for left behind when it has not been for this long. */
const STALE_MS = 120_000;

/**
 * Runs `work` while holding a lock file, so that two processes never write the same model. A lock
 * whose process is gone, or that went unrefreshed, is taken over.
 *
 * @throws ModelError `locked` at once where another process holds it.
 */
export async function withLock<T>(path: string, what: string, work: () => Promise<T>): Promise<T> {
  const token = await acquire(path, what);
  const heartbeat = setInterval(() => {
    const now = new Date();
    // A lock that was taken over in the meantime is no longer ours to refresh; nothing to do then.
    utimes(path, now, now).catch(() => undefined);
  }, HEARTBEAT_MS);
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    if ((await contents(path)) === token) await rm(path, { force: true });
  }
}

async function acquire(path: string, what: string): Promise<string> {
  const token = `${process.pid} ${hostname()} ${crypto.randomUUID()}\n`;
  if ((await create(path, token)) || (await takeOver(path, token))) return token;
  const pid = (await contents(path))?.split(' ')[0];
  throw new ModelError(
    'locked',
    `${what} is already under way${pid ? ` in process ${pid}` : ''}; wait for it to end, or stop ` +
      `it (its lock is ${path})`,
  );
}

/** False where the file is there already. */
async function create(path: string, content: string): Promise<boolean> {
  try {
    await writeFile(path, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Replaces a lock that was left behind. A second lock around this lets one process at a time judge
 * and replace, so that none removes what another has just put there.
 */
async function takeOver(path: string, token: string): Promise<boolean> {
  if (!(await isStale(path))) return false;
  const guard = `${path}.takeover`;
  if (!(await create(guard, token))) {
    if (await isStale(guard)) await rm(guard, { force: true });
    return false;
  }
  try {
    if (!(await isStale(path))) return false;
    await rm(path, { force: true });
    return await create(path, token);
  } finally {
    await rm(guard, { force: true });
  }
}

/** Whether nobody holds the lock: its process is gone, or it went unrefreshed. */
async function isStale(path: string): Promise<boolean> {
  const holder = await contents(path);
  const found = await stat(path).catch(() => undefined);
  if (holder === undefined || !found) return true;
  if (Date.now() - found.mtimeMs > STALE_MS) return true;
  const [pid, host] = holder.trim().split(' ');
  return host === hostname() && pid !== undefined && !isAlive(Number(pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function contents(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
