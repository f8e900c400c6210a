import { expect, test } from 'bun:test';
import { settledFrames } from './settle.ts';
import type { FrameResult } from './task.ts';

const FRAMES = 9;
const box = { x: 0, y: 0, width: 0, height: 0 };
const object = (id: number) => ({
  ...{ id, prompt: null, score: 1, present: true, box },
  counts: Uint32Array.of(1),
});

/** Object 2 comes on frame 2 and is taken back on frame 5. */
async function* following(known: Set<number>): AsyncGenerator<FrameResult> {
  for (let index = 0; index < FRAMES; index++) {
    if (index === 2) known.add(2);
    if (index === 5) known.delete(2);
    yield { index, objects: [...known].map(object) };
  }
}

async function shown(delay: number): Promise<[number, number[]][]> {
  const known = new Set([1]);
  const frames = settledFrames(following(known), delay, () => [...known]);
  return (await Array.fromAsync(frames)).map(({ index, objects }) => [
    index,
    objects.map(({ id }) => id),
  ]);
}

test('an object that is taken back in time was never there; all frames come, in order', async () => {
  const alone = Array.from({ length: FRAMES }, (_, index): [number, number[]] => [index, [1]]);
  expect(await shown(3)).toEqual(alone);
  expect(await shown(100)).toEqual(alone);
});

test('control: without delay it is seen', async () => {
  expect((await shown(0)).filter(([, ids]) => ids.includes(2)).map(([i]) => i)).toEqual([2, 3, 4]);
});
