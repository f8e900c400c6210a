import { describe, expect, test } from 'bun:test';
import type { Backend } from '../../src/compute/backend.ts';
import { devices } from '../../test/devices.ts';
import { LANES, laneBegin } from '../mask-rle-count/cpu.ts';
import {
  changesOf,
  type Masks,
  pack,
  randomMasks,
  SIZES,
} from '../mask-rle-count/packed_masks_fixture.ts';
import { maskRleWrite } from './kernel.ts';

/** Where the masks are written: the last one first, with a word left free before each. */
function layOut(given: Masks) {
  const changes = Array.from({ length: given.masks }, (_, mask) => changesOf(given, mask));
  const bases = new Uint32Array(given.masks);
  let length = 1;
  for (let mask = given.masks - 1; mask >= 0; mask--) {
    bases[mask] = length;
    length += changes[mask].length + 1;
  }
  return { changes, bases, length };
}

const FREE = 0xdead_beef;

async function run(backend: Backend, given: Masks): Promise<number[]> {
  const { masks, height, width } = given;
  const { changes, bases, length } = layOut(given);
  const offsets = changes.flatMap((indices) =>
    Array.from({ length: LANES }, (_, lane) => {
      const begin = laneBegin(lane, width) * height;
      return indices.filter((index) => index < begin).length;
    }),
  );
  const tensors = [
    backend.upload(pack(given), [masks, width, Math.ceil(height / 32)]),
    backend.upload(Uint32Array.from(offsets), [masks, LANES]),
    backend.upload(bases, [masks]),
    backend.upload(new Uint32Array(length).fill(FREE), [length]),
  ];
  backend.run(maskRleWrite, tensors, { width, height, masks });
  const written = (await backend.download(tensors[3])) as Uint32Array;
  backend.release(...tensors);
  return [...written];
}

/** What the output must be from end to end, the free words untouched. */
function expected(given: Masks): number[] {
  const { changes, bases, length } = layOut(given);
  const all = new Array<number>(length).fill(FREE);
  changes.forEach((indices, mask) => {
    indices.forEach((index, i) => {
      all[bases[mask] + i] = index;
    });
  });
  return all;
}

describe.each(devices)('mask-rle-write on %s', (_, backend) => {
  test.each(SIZES)(
    '$masks masks, $height by $width: the changes, each at its base, and nothing else',
    async (size) => {
      for (const density of [0.5, 0.01]) {
        const given = randomMasks(size, density);
        expect(await run(backend, given)).toEqual(expected(given));
      }
    },
  );

  test('control: one pixel more is told apart', async () => {
    const given = randomMasks(SIZES[0], 0.01);
    const written = await run(backend, given);
    given.pixels[given.pixels.lastIndexOf(0)] = 1;
    expect(written).not.toEqual(expected(given));
  });
});
