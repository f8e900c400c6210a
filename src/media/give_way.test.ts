/** What is slow in itself must not keep everybody else waiting. */
import { expect, test } from 'bun:test';
import { writeMask } from '../sam/mask_values.ts';
import { giveWay } from './give_way.ts';
import { drawLabels } from './labels.ts';

/** How often the event loop came round while `work` went on. */
async function rounds(work: () => Promise<unknown>): Promise<number> {
  let count = 0;
  let isOn = true;
  const next = () => {
    count++;
    if (isOn) setImmediate(next);
  };
  setImmediate(next);
  await work();
  isOn = false;
  return count;
}

function spend(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('a long loop lets others go on, a short one does not wait for them', async () => {
  expect(
    await rounds(async () => {
      for (let i = 0; i < 5; i++) {
        spend(10);
        await giveWay();
      }
    }),
  ).toBeGreaterThanOrEqual(4);
  await giveWay();
  expect(await rounds(() => giveWay())).toBe(0);
});

test('so do many polygons', async () => {
  const side = 600;
  const stripes = Uint32Array.from({ length: side * side }, () => 1);
  const work = async () => {
    const end = performance.now() + 200;
    while (performance.now() < end) {
      await writeMask(stripes, { width: side, height: side }, 'polygons');
    }
  };
  expect(await rounds(work)).toBeGreaterThanOrEqual(2);
});

test('so do many labels', async () => {
  await drawLabels([], { width: 1, height: 1 }, 12);
  const label = { text: 'a', score: 1, box: { x: 9, y: 9, width: 9, height: 9 } };
  const labels = Array.from({ length: 400 }, () => ({ ...label, colour: [1, 2, 3] as const }));
  const work = () => drawLabels(labels, { width: 900, height: 900 }, 12);
  expect(await rounds(work)).toBeGreaterThanOrEqual(1);
});
