/** Proves that a mesh of the wrong size is told, with the unit that explains it. */
import { describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { decodeDepthPng } from '../depth_png.ts';
import { load } from './mesh_fixture.ts';
import { meshDepthRatio, pointsExtent } from './units.ts';

describe('ratio', () => {
  // What is seen may be from half of an object to a little more than all of it, by noise.
  const shares = [0.5, 0.7, 0.9, 1, 1.1];

  test.each(shares)('right units agree when %p of the diameter is seen', (share) => {
    const result = meshDepthRatio(0.2, 0.2 * share);
    const ratio = expect.closeTo(1 / share, 9);
    expect(result).toEqual({ ratio, agrees: true, unit: null, scale: null });
  });

  const units = [
    ['mm', 0.001],
    ['cm', 0.01],
    ['inch', 0.0254],
  ] as const;
  test.each(units)('a mesh in %s read as metres', (unit, metres) => {
    for (const share of shares) {
      const result = meshDepthRatio(0.2 / metres, 0.2 * share);
      expect(result).toMatchObject({ agrees: false, unit, scale: metres });
      expect(result.ratio).toBeCloseTo(1 / metres / share, 6);
    }
  });

  test.each(units)('a mesh in metres read as %s', (unit, metres) => {
    for (const share of shares) {
      const result = meshDepthRatio(0.2 * metres, 0.2 * share);
      expect(result).toMatchObject({ agrees: false, unit, scale: 1 / metres });
    }
  });

  test('the factor is 3, and what no unit explains has none', () => {
    expect(meshDepthRatio(2.99, 1).agrees).toBe(true);
    expect(meshDepthRatio(3.01, 1)).toEqual({
      ratio: 3.01,
      agrees: false,
      unit: null,
      scale: null,
    });
    expect(meshDepthRatio(1, 2.99).agrees).toBe(true);
    expect(meshDepthRatio(1, 3.01)).toMatchObject({ agrees: false, unit: null });
    expect(meshDepthRatio(1e6, 1)).toMatchObject({ agrees: false, unit: null });
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('%p is no length', (length) => {
    expect(() => meshDepthRatio(length, 1)).toThrow(RangeError);
    expect(() => meshDepthRatio(1, length)).toThrow(RangeError);
  });
});

describe('extent', () => {
  test('is the diagonal, whatever a few pixels of background and holes say', () => {
    const points: number[] = [];
    for (let i = 0; i <= 100; i++) points.push(i * 0.003, i * 0.004, 1);
    expect(pointsExtent(Float32Array.from(points))).toBeCloseTo(0.5 * 0.96, 6);
    points.push(0, 0, 0, Number.NaN, 1, 1, 9, 9, 90, -9, -9, 90);
    expect(pointsExtent(Float32Array.from(points))).toBeLessThan(0.55);
    expect(pointsExtent(new Float32Array(9))).toBe(0);
  });
});

const LMO = join(import.meta.dir, '../../../../shared/data/pose/lmo');
const hasLmo = existsSync(LMO);
if (!hasLmo) console.warn(`skipped: a real mesh against real depth, because ${LMO} is absent`);

test.skipIf(!hasLmo)('LM-O object 5 agrees in millimetres and not in metres', async () => {
  const file = (name: string) => Bun.file(join(LMO, name));
  const depth = await decodeDepthPng(await file('depth.png').bytes(), LIMITS);
  const sharp = (await import('sharp')).default;
  const mask = await sharp(await file('mask_obj_05.png').bytes())
    .greyscale()
    .raw()
    .toBuffer();
  const { cam_K } = await file('camera.json').json();
  const points: number[] = [];
  depth.data.forEach((millimetres, at) => {
    if (!mask[at]) return;
    const [x, y, z] = [at % depth.width, Math.floor(at / depth.width), millimetres / 1000];
    points.push(((x - cam_K[2]) / cam_K[0]) * z, ((y - cam_K[5]) / cam_K[4]) * z, z);
  });
  const extent = pointsExtent(Float32Array.from(points));
  const bytes = await file('obj_05.ply').bytes();
  const right = await load(bytes, { scale: 0.001 });
  expect(meshDepthRatio(right.diameter, extent).agrees).toBe(true);
  const wrong = await load(bytes);
  expect(meshDepthRatio(wrong.diameter, extent)).toMatchObject({ agrees: false, unit: 'mm' });
});

const LIMITS = { maxPixels: 1e6, maxBytes: 1e7 };
