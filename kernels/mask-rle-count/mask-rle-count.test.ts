import { describe, expect, test } from 'bun:test';
import type { Backend } from '../../src/compute/backend.ts';
import { devices } from '../../test/devices.ts';
import { LANES, laneBegin, TOTALS } from './cpu.ts';
import { maskRleCount } from './kernel.ts';
import { changesOf, type Masks, pack, randomMasks, SIZES } from './packed_masks_fixture.ts';

async function run(backend: Backend, given: Masks) {
  const { masks, height, width } = given;
  const bits = backend.upload(pack(given), [masks, width, Math.ceil(height / 32)]);
  const offsets = backend.empty('uint32', [masks, LANES]);
  const totals = backend.empty('uint32', [masks, TOTALS]);
  backend.run(maskRleCount, [bits, offsets, totals], { width, height, masks });
  const result = {
    offsets: await backend.download(offsets),
    totals: await backend.download(totals),
  };
  backend.release(bits, offsets, totals);
  return result;
}

/** Changes, area, left, top, right, bottom of each mask, pixel by pixel. */
function totalsOf(given: Masks): number[] {
  const { masks, height, width, pixels } = given;
  return Array.from({ length: masks }, (_, mask) => {
    const size = height * width;
    const inside = [...Array(size).keys()].filter((i) => pixels[mask * size + i] !== 0);
    const xs = inside.map((i) => i % width);
    const ys = inside.map((i) => Math.floor(i / width));
    const low = (values: number[]) => values.reduce((a, b) => Math.min(a, b), values[0] ?? 0);
    const end = (values: number[]) => values.reduce((a, b) => Math.max(a, b + 1), 0);
    const box = [low(xs), low(ys), end(xs), end(ys)];
    return [changesOf(given, mask).length, inside.length, ...box];
  }).flat();
}

/** How many changes lie in the columns before each lane's. */
function offsetsOf(given: Masks): number[] {
  return Array.from({ length: given.masks }, (_, mask) => {
    const changes = changesOf(given, mask);
    return Array.from({ length: LANES }, (_, lane) => {
      const begin = laneBegin(lane, given.width) * given.height;
      return changes.filter((index) => index < begin).length;
    });
  }).flat();
}

describe.each(devices)('mask-rle-count on %s', (_, backend) => {
  test.each(SIZES)(
    '$masks masks, $height by $width: offsets, changes, areas and boxes',
    async (size) => {
      for (const density of [0.5, 0.01]) {
        const given = randomMasks(size, density);
        const { offsets, totals } = await run(backend, given);
        expect([...totals]).toEqual(totalsOf(given));
        expect([...offsets]).toEqual(offsetsOf(given));
      }
    },
  );

  test('control: one pixel more is told apart', async () => {
    const given = randomMasks(SIZES[0], 0.01);
    const { totals } = await run(backend, given);
    const last = given.pixels.lastIndexOf(0);
    given.pixels[last] = 1;
    expect([...totals]).not.toEqual(totalsOf(given));
  });
});
