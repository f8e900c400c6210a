import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { BenchDevice } from './measurement.ts';
import { describeHardware } from './open.ts';
import { probeSteps } from './probe/steps.ts';

/**
 * `bun bench/gpu_probe.ts [--device webgpu|software] [--adapter-only] [--out folder]`
 *
 * Asks of a GPU, step by step, everything that this server needs of it, and compares each result
 * with the processor's or a known one. A step that fails does not stop the next. The exit code is
 * the number of steps that failed.
 */
const { values } = parseArgs({
  options: {
    device: { type: 'string', default: 'webgpu' },
    'adapter-only': { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});
const device: BenchDevice = values.device === 'software' ? 'software' : 'webgpu';
const STEP_MS = 240_000;

interface Report {
  readonly step: string;
  readonly ok: boolean;
  readonly ms: number;
  /** What was found, or what went wrong. */
  readonly found: unknown;
}

async function attempt(step: string, work: () => Promise<unknown>): Promise<Report> {
  const started = performance.now();
  const ms = () => Math.round(performance.now() - started);
  try {
    const late = Bun.sleep(STEP_MS).then(() => {
      throw new Error(`no end within ${STEP_MS / 1000} s`);
    });
    return { step, ok: true, found: await Promise.race([work(), late]), ms: ms() };
  } catch (error) {
    const found = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { step, ok: false, found, ms: ms() };
  }
}

function print({ step, ok, found, ms }: Report): void {
  const detail = typeof found === 'string' ? found : JSON.stringify(found);
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${step} (${ms} ms): ${detail}`);
}

async function main(): Promise<number> {
  const opened = await attempt('adapter', () => describeHardware(device));
  const reports = [opened];
  print(opened);
  if (opened.ok && !values['adapter-only']) {
    for (const [step, work] of await probeSteps(device)) {
      const report = await attempt(step, work);
      reports.push(report);
      print(report);
    }
  }
  if (values.out) {
    await Bun.write(join(values.out, 'probe.json'), `${JSON.stringify(reports, null, 2)}\n`);
  }
  return reports.filter(({ ok }) => !ok).length;
}

// Not left to the event loop: a GPU that hangs would keep it alive.
process.exit(await main());
