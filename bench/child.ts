import { type BenchDevice, createContext } from './measurement.ts';
import type { FromChild } from './run_suite.ts';
import { SUITES } from './suites.ts';

/** Not a suite: the server that some of them ask. */
const SERVER = 'server';

/**
 * One suite on one device: what the processes that `bun bench` starts do.
 *
 * @param task `<suite>:<device>`
 * @param filters of a server instead: its flags as JSON
 */
export async function runChild(task: string, filters: readonly string[]): Promise<void> {
  const [name, device] = task.split(':') as [string, BenchDevice];
  if (name === SERVER) {
    const { serveForBench } = await import('./server_process.ts');
    const [flags = '{}'] = filters;
    return serveForBench(device, JSON.parse(flags));
  }
  const suite = SUITES.find((candidate) => candidate.name === name);
  if (!suite) throw new RangeError(`no suite ${name}: ${SUITES.map((one) => one.name).join(', ')}`);
  const hardware = await hardwareOf(device);
  if (hardware === null) return;
  const { run } = await suite.load();
  await run(
    createContext(device, hardware, filters, (measurement) =>
      send({ type: 'measurement', measurement }),
    ),
  );
}

/** Null, after telling why, when the device cannot be opened here. */
async function hardwareOf(device: BenchDevice): Promise<string | null> {
  const { describeHardware } = await import('./open.ts');
  try {
    return await describeHardware(device);
  } catch (error) {
    send({ type: 'absent', reason: (error as Error).message });
    return null;
  }
}

function send(message: FromChild): void {
  process.send?.(message);
}
