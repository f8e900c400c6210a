import { describe, expect, test } from 'bun:test';
import { PassThrough } from 'node:stream';
import { megabytes } from './disk_space.ts';
import { lineReport, reportProgress } from './progress.ts';
import { renderTable } from './table.ts';

const FILE = { url: 'https://host.test/m.onnx', path: 'm.onnx' };

/** Feeds a report a file of 1,000 bytes in steps of 10. */
function download(
  events: ReturnType<typeof lineReport>['events'],
  total: number | undefined,
): void {
  events.onFile?.(FILE, 'https://host.test/m.onnx');
  for (let received = 10; received <= 1000; received += 10) {
    events.onProgress?.(FILE, received, total);
  }
}

describe('lines', () => {
  test('come at every tenth of the way and at the end', () => {
    const lines: string[] = [];
    download(lineReport((line) => lines.push(line)).events, 1000);
    expect(lines[0]).toBe('m.onnx from https://host.test/m.onnx');
    expect(lines.at(-1)).toBe('m.onnx 100%, 1.0 kB of 1.0 kB');
    expect(lines).toHaveLength(11);
  });

  test('start anew with a second file, and name every retry', () => {
    const lines: string[] = [];
    const { events } = lineReport((line) => lines.push(line));
    download(events, 1000);
    download(events, 1000);
    expect(lines).toHaveLength(22);
    events.onRetry?.('host.test answers 503', 1500);
    expect(lines.at(-1)).toBe('host.test answers 503; trying again in 1.5 s');
  });
});

test('a terminal gets a bar that is drawn over, and anything else gets lines', () => {
  for (const isTTY of [true, false]) {
    const stream = new PassThrough();
    const chunks: string[] = [];
    stream.on('data', (chunk) => chunks.push(String(chunk)));
    // What cli-progress and the report use of a terminal.
    const terminal = Object.assign(stream, { isTTY, columns: 80, cursorTo() {}, clearLine() {} });
    const report = reportProgress(terminal as unknown as NodeJS.WriteStream);
    download(report.events, 1000);
    report.stop();
    const written = chunks.join('');
    expect(written).toContain('m.onnx from https://host.test/m.onnx\n');
    expect(written.includes('\u2588') || written.includes('=')).toBe(isTTY);
    expect(written.includes('m.onnx 100%')).toBe(!isTTY);
  }
});

test('sizes are short and in powers of 1000', () => {
  const cases: [number, string][] = [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [27_404_416, '27.4 MB'],
    [388_917_010, '389 MB'],
    [1_337_000_000, '1.3 GB'],
  ];
  for (const [bytes, text] of cases) expect(megabytes(bytes)).toBe(text);
});

test('a table is as wide as its widest cells and has no trailing spaces', () => {
  expect(
    renderTable(
      ['A', 'LONG'],
      [
        ['aaa', 'b'],
        ['', 'bb'],
      ],
    ),
  ).toBe(['A    LONG', 'aaa  b', '     bb'].join('\n'));
});
