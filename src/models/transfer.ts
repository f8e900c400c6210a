import type { ModelFile } from './entry.ts';
import { ModelError } from './errors.ts';
import type { HashOrigin } from './manifest.ts';
import { PartFile } from './part_file.ts';
import { ifRange, type RangeAnswer, requestRange } from './range_request.ts';
import { type RemoteSettings, shown } from './remote.ts';
import { connectionFailure, PassingFailure, pause, type RetryPolicy, retryDelay } from './retry.ts';

export interface Transfer {
  readonly url: URL;
  /** Where the file goes; `<target>.part` until it is whole. */
  readonly target: string;
  readonly file: ModelFile;
  readonly settings: RemoteSettings;
  readonly retry: RetryPolicy;
  /** A connection that brings nothing for this long counts as dropped. */
  readonly idleTimeoutMs: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (received: number, total: number | undefined) => void;
  readonly onRetry?: (reason: string, delayMs: number) => void;
  /** Called once the size is known and before bytes are written; throws to refuse. */
  readonly checkRoom?: (bytes: number) => Promise<void>;
}

export interface Transferred {
  readonly bytes: number;
  readonly sha256: string;
  readonly hashOrigin: HashOrigin;
}

/** This many new bytes show that a connection works, and failures are counted afresh. */
const PROGRESS_BYTES = 1 << 20;

/**
 * Downloads one file: resumes what an earlier run left, resumes again after every dropped
 * connection, and shows it under its final name only when its hash is right.
 *
 * @throws ModelError as {@link requestRange}; `checksum` for other bytes than expected, which are
 *   removed; `network` after the policy's failures in a row. Whatever else stops it, an abort
 *   included, the bytes that came are kept for the next run.
 */
export async function transferFile(transfer: Transfer): Promise<Transferred> {
  const part = await PartFile.open(transfer.target, transfer.signal);
  try {
    return await new Download(transfer, part).run();
  } catch (error) {
    const wrong = error instanceof ModelError && error.code === 'checksum';
    await (wrong ? part.discard() : part.close());
    throw error;
  }
}

class Download {
  /** True when the bytes came over more than one connection: they may be of two versions. */
  private joined: boolean;
  /** True when the server said that nothing follows. */
  private ended = false;
  private mayStartOver = true;

  constructor(
    private readonly transfer: Transfer,
    private readonly part: PartFile,
  ) {
    this.joined = part.bytes > 0;
  }

  async run(): Promise<Transferred> {
    if (this.part.bytes > 0 && !this.canResume()) await this.part.restart();
    let failures = 0;
    let mark = this.part.bytes;
    while (!(await this.isWhole())) {
      try {
        await this.connect();
      } catch (error) {
        if (!(error instanceof PassingFailure)) throw error;
        failures = this.part.bytes - mark >= PROGRESS_BYTES ? 1 : failures + 1;
        mark = this.part.bytes;
        await this.waitAfter(error, failures);
      }
    }
    return this.finish();
  }

  private get total(): number | undefined {
    return this.transfer.file.bytes ?? this.part.validators.total;
  }

  private get announced(): string | undefined {
    return this.part.validators.announcedSha256;
  }

  /** Without a pinned hash, only what the server can vouch for may be joined. */
  private canResume(): boolean {
    if (this.total !== undefined && this.part.bytes > this.total) return false;
    return this.transfer.file.sha256 !== undefined || ifRange(this.part.validators) !== undefined;
  }

  /** Whole and right; wrong bytes that were joined from two connections are fetched once more. */
  private async isWhole(): Promise<boolean> {
    if (!this.ended && (this.total === undefined || this.part.bytes < this.total)) return false;
    const expected = this.transfer.file.sha256 ?? this.announced;
    const given = this.part.sha256();
    if (expected === undefined || given === expected) return true;
    if (!this.joined || !this.mayStartOver) throw this.wrongBytes(given, expected);
    this.mayStartOver = false;
    await this.startOver();
    return false;
  }

  private async connect(): Promise<void> {
    const { url, settings, signal, idleTimeoutMs } = this.transfer;
    const idle = new AbortController();
    let timer = setTimeout(stop, idleTimeoutMs);
    function stop(): void {
      idle.abort(new PassingFailure(`${shown(url)}: nothing came for ${idleTimeoutMs} ms`));
    }
    const signals = signal ? [signal, idle.signal] : [idle.signal];
    const combined = AbortSignal.any(signals);
    try {
      const answer = await requestRange({
        url,
        offset: this.part.bytes,
        validators: this.part.validators,
        settings,
        signal: combined,
      });
      await this.receive(answer, combined, () => {
        clearTimeout(timer);
        timer = setTimeout(stop, idleTimeoutMs);
      });
    } finally {
      clearTimeout(timer);
      idle.abort();
    }
  }

  private async receive(
    answer: RangeAnswer,
    signal: AbortSignal,
    alive: () => void,
  ): Promise<void> {
    if (answer.kind === 'restart') {
      await this.startOver();
      throw new PassingFailure(`${shown(this.transfer.url)} cannot go on where the file stopped`);
    }
    if (answer.kind === 'complete') {
      this.ended = true;
      return;
    }
    await this.checkSize(answer.validators.total, answer.offset);
    if (answer.offset === 0 && this.part.bytes > 0) await this.startOver();
    if (answer.offset > 0) this.joined = true;
    await this.part.remember({ ...this.part.validators, ...answer.validators });
    await this.write(answer.body, signal, alive);
  }

  private async write(
    body: ReadableStream<Uint8Array<ArrayBuffer>>,
    signal: AbortSignal,
    alive: () => void,
  ): Promise<void> {
    const total = this.total;
    try {
      for await (const chunk of body) {
        alive();
        await this.part.append(chunk);
        this.transfer.onProgress?.(this.part.bytes, total);
        if (total !== undefined && this.part.bytes > total) throw this.tooLong(total);
        // A server that holds the connection open after the last byte is not waited for.
        if (this.part.bytes === total) return;
      }
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      if (cause instanceof ModelError) throw cause;
      throw connectionFailure(shown(this.transfer.url), cause);
    }
    if (total === undefined) this.ended = true;
    else
      throw new PassingFailure(`the connection ended after ${this.part.bytes} of ${total} bytes`);
  }

  /** Before anything is written, so that a wrong answer costs nothing of what came before. */
  private async checkSize(offered: number | undefined, offset: number): Promise<void> {
    const { file, checkRoom, url } = this.transfer;
    if (offered === undefined) return;
    if (file.bytes !== undefined && offered !== file.bytes) {
      throw new ModelError(
        'network',
        `${shown(url)} offers ${offered} bytes, expected ${file.bytes}: it is another file. Check ` +
          'HF_ENDPOINT and TRIPTYCH_MODEL_MIRROR if set, or pull from another mirror',
      );
    }
    await checkRoom?.(offered - offset);
  }

  private async startOver(): Promise<void> {
    await this.part.restart();
    this.joined = false;
    this.ended = false;
  }

  private async waitAfter(failure: PassingFailure, failures: number): Promise<void> {
    const { retry, signal, onRetry } = this.transfer;
    if (failures >= retry.attempts) {
      throw new ModelError(
        'network',
        `gave up after ${failures} failures in a row, the last: ${failure.message}. ` +
          `${this.part.bytes} bytes are kept; run the same command to go on`,
        { cause: failure },
      );
    }
    const delay = retryDelay(failures, failure, retry);
    onRetry?.(failure.message, delay);
    await pause(delay, signal);
  }

  private async finish(): Promise<Transferred> {
    const sha256 = this.part.sha256();
    await this.part.finish();
    const { file } = this.transfer;
    const hashOrigin = file.sha256 ? 'pinned' : this.announced ? 'announced' : 'recorded';
    return { bytes: this.part.bytes, sha256, hashOrigin };
  }

  private wrongBytes(given: string, expected: string): ModelError {
    return new ModelError(
      'checksum',
      `${shown(this.transfer.url)} has SHA-256 ${given}, expected ${expected}; what came was ` +
        'removed. Pull again, or from another mirror',
    );
  }

  private tooLong(expected: number): ModelError {
    return new ModelError(
      'checksum',
      `${shown(this.transfer.url)} sent more than the expected ${expected} bytes; what came was ` +
        'removed. Pull again, or from another mirror',
    );
  }
}
