import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import sharp from 'sharp';
import { seeded } from '../../test/numbers.ts';
import { drawOverlay, type OverlayObject } from './overlay.ts';
import { colourOf } from './palette.ts';
import { boxOf, type PixelBox } from './rle.ts';
import { countsFromMask } from './rle_pixels.ts';

function noise(width: number, height: number): Uint8Array {
  const random = seeded(3);
  return Uint8Array.from({ length: width * height * 3 }, () => random() * 256);
}

function rectangle(box: PixelBox, width: number, height: number, label = ''): OverlayObject {
  const mask = new Uint8Array(width * height);
  for (let y = box.y; y < box.y + box.height; y++) {
    mask.fill(1, y * width + box.x, y * width + box.x + box.width);
  }
  const counts = countsFromMask(mask, height, width);
  // Without label and score there is no plate.
  return { counts, label, score: label === '' ? Number.NaN : 0.92, box: boxOf(counts, height) };
}

/** The picture's pixels, and a way to read one. */
async function draw(width: number, height: number, objects: OverlayObject[], pixels?: Uint8Array) {
  const png = await drawOverlay({
    pixels: pixels ?? noise(width, height),
    width,
    height,
    objects,
  });
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height, info.channels]).toEqual([width, height, 3]);
  return {
    data,
    at: (x: number, y: number) => [...data.subarray((y * width + x) * 3).subarray(0, 3)],
  };
}

describe('an overlay', () => {
  test('of nothing is the picture, which is left as it was', async () => {
    const pixels = noise(50, 40);
    const before = pixels.slice();
    expect(Buffer.compare((await draw(50, 40, [], pixels)).data, pixels)).toBe(0);
    const whole = rectangle({ x: 0, y: 0, width: 50, height: 40 }, 50, 40);
    expect(Buffer.compare((await draw(50, 40, [whole], pixels)).data, pixels)).not.toBe(0);
    expect(pixels).toEqual(before);
  });

  test('has a solid outline of two pixels inside the mask, a tint within, nothing outside', async () => {
    const [width, height] = [300, 260];
    const box = { x: 40, y: 50, width: 100, height: 80 };
    const pixels = noise(width, height);
    const { at } = await draw(width, height, [rectangle(box, width, height)], pixels);
    const colour = [...colourOf(0)];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const before = [...pixels.subarray((y * width + x) * 3).subarray(0, 3)];
        const depth = Math.min(x - 40, 139 - x, y - 50, 129 - y);
        if (depth < 0) expect(at(x, y)).toEqual(before);
        else if (depth < 2) expect(at(x, y)).toEqual(colour);
        else expectBetween(at(x, y), before, colour);
      }
    }
  });

  test.each([
    [100, 100, 1],
    [640, 480, 2],
    [1920, 1080, 3],
    [3840, 2160, 6],
  ])('at %dx%d has outlines %d wide', async (width, height, expected) => {
    const box = { x: 20, y: 20, width: 60, height: 60 };
    const black = new Uint8Array(width * height * 3);
    const { at } = await draw(width, height, [rectangle(box, width, height)], black);
    const colour = String(colourOf(0));
    let wide = 0;
    while (String(at(20 + wide, 50)) === colour) wide++;
    expect(wide).toBe(expected);
  });

  test('shows the first object’s outline above later ones, each in its own colour', async () => {
    const one = rectangle({ x: 20, y: 20, width: 200, height: 200 }, 300, 300);
    const other = rectangle({ x: 120, y: 20, width: 150, height: 200 }, 300, 300);
    const { at } = await draw(300, 300, [one, other]);
    expect(at(150, 20)).toEqual([...colourOf(0)]);
    expect(at(260, 20)).toEqual([...colourOf(1)]);
    expect(at(120, 100)).toEqual([...colourOf(1)]);
    expect(at(219, 100)).toEqual([...colourOf(0)]);
  });

  test('goes along a hole, and leaves it clear', async () => {
    const ring = new Uint8Array(300 * 300);
    for (let i = 0; i < ring.length; i++) {
      const far = Math.hypot((i % 300) - 150, Math.floor(i / 300) - 150);
      ring[i] = far < 100 && far > 50 ? 1 : 0;
    }
    const counts = countsFromMask(ring, 300, 300);
    const object = { counts, label: '', score: Number.NaN, box: boxOf(counts, 300) };
    const pixels = noise(300, 300);
    const { at } = await draw(300, 300, [object], pixels);
    expect(at(150, 150)).toEqual([...pixels.subarray((150 * 300 + 150) * 3).subarray(0, 3)]);
    expect(at(201, 150)).toEqual([...colourOf(0)]);
    expect(at(199, 150)).not.toEqual([...colourOf(0)]);
    expect(at(249, 150)).toEqual([...colourOf(0)]);
  });
});

/** Each channel lies from one value to the other, a little apart from both where they differ. */
function expectBetween(value: number[], before: number[], colour: number[]): void {
  for (let channel = 0; channel < 3; channel++) {
    const share = (value[channel] - before[channel]) / (colour[channel] - before[channel]);
    if (Math.abs(colour[channel] - before[channel]) < 10) continue;
    expect(share).toBeGreaterThan(0.3);
    expect(share).toBeLessThan(0.6);
  }
}

describe('a label', () => {
  const box = { x: 100, y: 100, width: 200, height: 100 };

  test('is a plate in the object’s colour with ink on it, above the box’s upper left', async () => {
    const black = new Uint8Array(640 * 480 * 3).fill(40);
    const { at } = await draw(640, 480, [rectangle(box, 640, 480, 'red cube')], black);
    expect(at(99, 90)).toEqual([40, 40, 40]);
    expect(at(101, 84)).toEqual([...colourOf(0)]);
    const inked = Array.from({ length: 100 }, (_, x) => at(100 + x, 92)).filter(
      ([red, green, blue]) => red + green + blue < 60,
    );
    expect(inked.length).toBeGreaterThan(10);
    expect(at(101, 70)).toEqual([40, 40, 40]);
  });

  test('says what it is given: another text or score gives another picture', async () => {
    const object = rectangle(box, 640, 480, 'red cube');
    const { data } = await draw(640, 480, [object]);
    const same = await draw(640, 480, [{ ...object }]);
    const text = await draw(640, 480, [{ ...object, label: 'red cups' }]);
    const score = await draw(640, 480, [{ ...object, score: 0.91 }]);
    expect(Buffer.compare(same.data, data)).toBe(0);
    expect(Buffer.compare(text.data, data)).not.toBe(0);
    expect(Buffer.compare(score.data, data)).not.toBe(0);
  });

  test('of any text, of any box, in a picture of any size, is drawn or left out', async () => {
    const anyObject = fc.record({
      label: fc.string({ unit: 'binary', maxLength: 60 }),
      score: fc.double(),
      x: fc.integer({ min: -1000, max: 1000 }),
      y: fc.integer({ min: -1000, max: 1000 }),
    });
    const anyPicture = fc.record({
      width: fc.integer({ min: 1, max: 200 }),
      height: fc.integer({ min: 1, max: 60 }),
      objects: fc.array(anyObject, { maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(anyPicture, async ({ width, height, objects }) => {
        const drawn = objects.map(({ label, score, x, y }) => ({
          counts: [0, width * height],
          label,
          score,
          box: { x, y, width: 10, height: 10 },
        }));
        await draw(width, height, drawn);
      }),
      { numRuns: 60 },
    );
  });
});

test('an object without pixels and text leaves the picture as it was', async () => {
  const empty = rectangle({ x: 9, y: 9, width: 0, height: 0 }, 640, 480);
  const { data } = await draw(640, 480, [empty]);
  expect(Buffer.compare(data, noise(640, 480))).toBe(0);
});

test('pixels or runs of another size are an error of the program', async () => {
  const given = { pixels: new Uint8Array(12), width: 2, height: 2, objects: [] };
  await expect(drawOverlay({ ...given, width: 3 })).rejects.toThrow('12 bytes are not the RGB');
  const box = { x: 0, y: 0, width: 1, height: 1 };
  const object = { counts: [1, 2], label: '', score: 0, box };
  const drawn = drawOverlay({ ...given, objects: [object] });
  await expect(drawn).rejects.toThrow('3 pixels do not fill');
});
