import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { planAtlas } from './atlas.ts';

const side = fc.integer({ min: 1, max: 900 });

describe('an atlas', () => {
  test('holds at least one image, none beyond the texture, no more than are asked for', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 70_000 }),
        side,
        side,
        fc.integer({ min: 1, max: 1 << 20 }),
        (images, width, height, maxPixels) => {
          const plan = planAtlas({ images, width, height, triangles: 1 }, 1000, maxPixels);
          const rows = plan.height / height;
          expect(plan.width).toBe(plan.columns * width);
          expect(Math.max(plan.width, plan.height)).toBeLessThanOrEqual(1000);
          expect(plan.images).toBeGreaterThanOrEqual(1);
          expect(plan.images).toBeLessThanOrEqual(Math.min(images, plan.columns * rows));
          expect(plan.images).toBeLessThanOrEqual(65_535);
          expect(plan.width * plan.height).toBeLessThanOrEqual(Math.max(maxPixels, width * height));
        },
      ),
    );
  });

  test('252 crops of 160x160 are one pass', () => {
    const plan = planAtlas({ images: 252, width: 160, height: 160, triangles: 1 }, 8192);
    expect(plan).toEqual({ columns: 51, images: 252, width: 8160, height: 800 });
  });

  test('an image larger than a texture is refused', () => {
    const image = { images: 1, width: 9000, height: 10, triangles: 1 };
    expect(() => planAtlas(image, 8192)).toThrow('9000x10 pixels: this device takes at most 8192');
  });
});
