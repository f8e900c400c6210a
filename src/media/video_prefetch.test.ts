import { expect, test } from 'bun:test';
import { prefetched } from './video_prefetch.ts';

/** Counts, and tells how far it has come and whether it was ended. */
function counting(end: number, failAt = Number.POSITIVE_INFINITY) {
  const state = { made: 0, ended: false };
  const source = (async function* () {
    try {
      for (; state.made < end; ) {
        await Bun.sleep(1);
        if (state.made === failAt) throw new Error(`no ${failAt}`);
        yield state.made++;
      }
    } finally {
      state.ended = true;
    }
  })();
  return { state, source };
}

test('hands on all, in order', async () => {
  const { state, source } = counting(20);
  expect(await Array.fromAsync(prefetched(source, 3))).toEqual(
    Array.from({ length: 20 }, (_, i) => i),
  );
  expect(state.ended).toBe(true);
});

test.each([0, 1, 4])('is at most %d ahead of a slow reader', async (depth) => {
  const { state, source } = counting(30);
  for await (const value of prefetched(source, depth)) {
    const most = value + 1 + depth;
    while (state.made < most) await Bun.sleep(1);
    await Bun.sleep(5);
    expect(state.made).toBe(most);
    if (value === 10) break;
  }
  const { made } = state;
  await Bun.sleep(20);
  expect(state).toEqual({ made, ended: true });
});

test('a failure comes in its turn', async () => {
  const { source } = counting(10, 4);
  const found: number[] = [];
  const reading = (async () => {
    for await (const value of prefetched(source, 3)) found.push(value);
  })();
  expect(reading).rejects.toThrow('no 4');
  await reading.catch(() => {});
  expect(found).toEqual([0, 1, 2, 3]);
});
