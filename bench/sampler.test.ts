import { expect, test } from 'bun:test';
import { type Budget, sampleInTurn } from './sampler.ts';

const BRIEF: Budget = { warmUpMs: 0, ms: 0, minSamples: 4, maxSamples: 10 };

/** Busy for about so long, since a sleep would be rounded by the event loop. */
function spin(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test('cases take samples in turn, every second round in reverse order', async () => {
  const calls: string[] = [];
  const timed = (name: string) => ({ name, run: () => calls.push(name), repeats: 1 });
  const sampled = await sampleInTurn([timed('a'), timed('b')], BRIEF);
  expect(sampled.map(({ name, samples }) => [name, samples.length])).toEqual([
    ['a', 4],
    ['b', 4],
  ]);
  expect(calls.slice(-8).join('')).toBe('abbaabba');
});

test('a sample is the time of one run, however many it takes', async () => {
  const [one, many] = await sampleInTurn(
    [
      { name: 'one', run: () => spin(2), repeats: 1 },
      { name: 'many', run: () => spin(2), repeats: 5 },
    ],
    BRIEF,
  );
  // Never less than the work itself; more only as the machine is busy.
  for (const { samples } of [one, many]) expect(Math.min(...samples)).toBeGreaterThanOrEqual(1.99);
  expect(many.repeats).toBe(5);
});

test('short work is repeated until the clock is no matter, work with a wait at its end more', async () => {
  const [short, settled, long] = await sampleInTurn(
    [
      { name: 'short', run: () => spin(0.1) },
      { name: 'settled', run: () => spin(0.1), settle: async () => {} },
      { name: 'long', run: () => spin(5) },
    ],
    // The least of many runs is the work's own time.
    { ...BRIEF, warmUpMs: 50 },
  );
  expect(short.repeats).toBeGreaterThan(1);
  expect(settled.repeats).toBeGreaterThan(short.repeats);
  expect(long.repeats).toBe(1);
});

test('promises are awaited, and the device is waited for once a sample', async () => {
  let [open, settled] = [0, 0];
  const run = async () => {
    open++;
    await Bun.sleep(1);
    open--;
  };
  const settle = async () => {
    expect(open).toBe(0);
    settled++;
  };
  const [{ samples }] = await sampleInTurn([{ name: 'x', run, settle, repeats: 3 }], BRIEF);
  // Three to warm up.
  expect(settled).toBe(samples.length + 3);
});

test('it goes on while there is time, up to the most samples', async () => {
  const budget = { ...BRIEF, ms: 60_000 };
  const [{ samples }] = await sampleInTurn([{ name: 'x', run: () => {}, repeats: 1 }], budget);
  expect(samples.length).toBe(10);
});
