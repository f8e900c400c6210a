import { SingleBar } from 'cli-progress';
import { megabytes } from './disk_space.ts';
import type { PullEvents } from './download.ts';

export interface ProgressReport {
  readonly events: PullEvents;
  /** Ends the bar; to be called before anything else is printed. */
  stop(): void;
}

/** A line at every tenth of the way, where no bar can be drawn. */
const LINE_SHARE = 0.1;

/** A progress bar on a terminal, plain lines anywhere else. */
export function reportProgress(stream: NodeJS.WriteStream): ProgressReport {
  return stream.isTTY ? barReport(stream) : lineReport((line) => stream.write(`${line}\n`));
}

function barReport(stream: NodeJS.WriteStream): ProgressReport {
  let bar: SingleBar | undefined;
  function stop(): void {
    bar?.stop();
    bar = undefined;
  }
  return {
    stop,
    events: {
      onFile(file, source) {
        stop();
        stream.write(`${file.path} from ${source}\n`);
      },
      onProgress(_file, received, total) {
        const sizes = { done: megabytes(received), all: megabytes(total ?? 0) };
        if (bar) bar.update(received, sizes);
        else bar = startBar(stream, received, total, sizes);
      },
      onRetry(reason, delayMs) {
        stop();
        stream.write(`${retryLine(reason, delayMs)}\n`);
      },
    },
  };
}

function startBar(
  stream: NodeJS.WriteStream,
  received: number,
  total: number | undefined,
  sizes: { readonly done: string; readonly all: string },
): SingleBar {
  const format = total
    ? '{bar} {percentage}%  {done} of {all}  {eta_formatted} left'
    : '{done} so far';
  const bar = new SingleBar({ stream, format, hideCursor: true, etaBuffer: 200, fps: 5 });
  bar.start(total ?? 0, received, sizes);
  return bar;
}

/** As lines; `write` takes one without its line break. */
export function lineReport(write: (line: string) => void): ProgressReport {
  let said = 0;
  return {
    stop: () => undefined,
    events: {
      onFile(file, source) {
        said = 0;
        write(`${file.path} from ${source}`);
      },
      onProgress(file, received, total) {
        if (!total || (received < total && received < said + total * LINE_SHARE)) return;
        said = received;
        const percent = Math.floor((received / total) * 100);
        write(`${file.path} ${percent}%, ${megabytes(received)} of ${megabytes(total)}`);
      },
      onRetry: (reason, delayMs) => write(retryLine(reason, delayMs)),
    },
  };
}

function retryLine(reason: string, delayMs: number): string {
  return `${reason}; trying again in ${(delayMs / 1000).toFixed(1)} s`;
}
