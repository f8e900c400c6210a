import { expect, test } from 'bun:test';
import { ProcessUsage } from './process_usage.ts';

test('the processor share is of all processors, since the last measurement', () => {
  const clock = { time: 10_000, used: 1_000, processors: 4 };
  const usage = new ProcessUsage({
    processors: clock.processors,
    now: () => clock.time,
    usedMs: () => clock.used,
  });
  // 1 s of 4 × 10 s.
  expect(usage.cpuPercent()).toBe(2.5);
  clock.time += 2_000;
  clock.used += 2_000;
  expect(usage.cpuPercent()).toBe(25);
  // Asked again at once, whoever asks, it is the same measurement.
  clock.time += 10;
  clock.used += 40;
  expect(usage.cpuPercent()).toBe(25);
  clock.time += 1_990;
  clock.used += 7_960;
  expect(usage.cpuPercent()).toBe(100);
});

test('of this process both shares are shares', () => {
  const usage = new ProcessUsage();
  const from = process.cpuUsage();
  while (process.cpuUsage(from).user < 20_000) Math.sqrt(2);
  for (const percent of [usage.cpuPercent(), usage.memoryPercent()]) {
    expect(percent).toBeGreaterThan(0);
    expect(percent).toBeLessThanOrEqual(100);
  }
});
