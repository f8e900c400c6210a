import { HttpError } from '../api/errors.ts';
import type { VideoSession } from './session.ts';

/** Also safe as a part of a path, though no path is made of it. */
const SESSION_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** setTimeout holds 31 bits. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

const RETRY_SECONDS = '10';

/** Of a session that is gone, why. */
const MAX_REMEMBERED = 1024;

export interface RegistryOptions {
  readonly maxSessions: number;
  /** A session without a request for as long is given to `onExpired`. */
  readonly timeoutMs: number;
  onExpired(session: VideoSession): void;
}

interface Entry {
  session: VideoSession | null;
  timer?: ReturnType<typeof setTimeout>;
  /** Requests that go on. */
  users: number;
}

/**
 * Sessions by id, bounded in number. An id is taken from the moment it is asked for until the session's
 * last resource is freed.
 */
export class SessionRegistry {
  private readonly entries = new Map<string, Entry>();
  /** Why sessions are gone; the oldest are forgotten first. */
  private readonly gone = new Map<string, string>();

  constructor(private readonly options: RegistryOptions) {}

  /** Sessions that are open, opening or closing. */
  get size(): number {
    return this.entries.size;
  }

  /** The open ones, the oldest first. */
  list(): VideoSession[] {
    return [...this.entries.values()].flatMap(({ session }) => session ?? []);
  }

  /** @throws HttpError 503 with Retry-After at the bound */
  requireRoom(): void {
    const { maxSessions } = this.options;
    if (this.entries.size < maxSessions) return;
    throw new HttpError(
      503,
      `${maxSessions} video sessions are open, the most this server takes: close one, or try again later`,
      { 'Retry-After': RETRY_SECONDS },
    );
  }

  /**
   * Takes an id, the given one or a new one.
   *
   * @throws HttpError 503 at the bound, 422 for a bad id, 409 for one that is taken
   */
  reserve(given: string | undefined): string {
    this.requireRoom();
    const id = given ?? `session-${crypto.randomUUID()}`;
    if (!SESSION_ID.test(id)) {
      throw new HttpError(
        422,
        `session_id: expected 1 to 128 letters, digits, dots, dashes and underscores that begin with a letter or a digit, given ${quoted(id)}`,
      );
    }
    if (this.entries.has(id)) {
      throw new HttpError(409, `session_id: ${id} is taken; choose another, or close that session`);
    }
    this.entries.set(id, { session: null, users: 0 });
    this.gone.delete(id);
    return id;
  }

  /** Puts a session under its reserved id. */
  add(session: VideoSession): void {
    const entry = this.entries.get(session.id);
    if (!entry) throw new Error(`session ${session.id} was not reserved`);
    entry.session = session;
    this.arm(entry);
  }

  /** Gives an id up. */
  remove(id: string, reason: string | null): void {
    clearTimeout(this.entries.get(id)?.timer);
    if (!this.entries.delete(id) || reason === null) return;
    this.gone.set(id, reason);
    const [oldest] = this.gone.keys();
    if (this.gone.size > MAX_REMEMBERED && oldest !== undefined) this.gone.delete(oldest);
  }

  /** @throws HttpError 404 for a session that is not there */
  find(id: string): VideoSession {
    const session = this.entries.get(id)?.session;
    if (session) return session;
    const reason = this.gone.get(id);
    throw new HttpError(404, `there is no session ${quoted(id)}${reason ? `: it ${reason}` : ''}`);
  }

  /** A session for as long as a request takes, which keeps it from being idle. */
  use(id: string): { readonly session: VideoSession; done(): void } {
    const session = this.find(id);
    const entry = this.entries.get(id) as Entry;
    clearTimeout(entry.timer);
    entry.users++;
    return {
      session,
      done: () => {
        entry.users--;
        if (entry.users === 0 && this.entries.get(id) === entry) this.arm(entry);
      },
    };
  }

  private arm(entry: Entry): void {
    clearTimeout(entry.timer);
    const ms = Math.min(this.options.timeoutMs, MAX_TIMEOUT_MS);
    entry.timer = setTimeout(() => entry.session && this.options.onExpired(entry.session), ms);
    entry.timer.unref();
  }
}

/** An id as it may be told: a stranger's may be long, and of any character. */
function quoted(id: string): string {
  return JSON.stringify(id.length > 64 ? `${id.slice(0, 63)}…` : id);
}
