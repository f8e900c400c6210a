import { describe, expect, test } from 'bun:test';
import { poseOf } from '../ellipsoid_fixture.ts';
import { aboutCenter } from '../symmetric_poses.ts';
import { alignWithMask, distinctBest, posesAtMask, takePoses, totalsOf } from './candidates.ts';
import type { MaskCrop } from './crop.ts';
import type { Level } from './level.ts';

const intrinsics = { fx: 50, fy: 52, cx: 15.5, cy: 14 };
const crop = { intrinsics, maskCenter: [20, 9], distance: 0.6 } as unknown as MaskCrop;
const ALONE = aboutCenter([], [0, 0, 0]);
const level = { side: 16, factor: 2, masked: 50 } as unknown as Level;

describe('candidates', () => {
  test('begin at the mask’s middle and depth', () => {
    const rotation = Float64Array.of(0, -1, 0, 1, 0, 0, 0, 0, 1);
    const poses = posesAtMask([rotation, rotation], crop);
    const [x, y] = [((20 - 15.5) / 50) * 0.6, ((9 - 14) / 52) * 0.6];
    const expected = Float32Array.of(0, -1, 0, x, 1, 0, 0, y, 0, 0, 1, 0.6, 0, 0, 0, 1);
    expect(poses.subarray(16)).toEqual(expected);
  });

  test('move to where their rendering has the mask’s middle and depth', () => {
    const rendered = new Float32Array(2 * 16 * 16 * 3);
    // The first image has two pixels, the second none.
    for (const [u, v, z] of [
      [4, 6, 0.5],
      [6, 8, 0.5],
    ]) {
      rendered[(v * 16 + u) * 3 + 2] = z;
    }
    const start = poseOf([0.1, 0.2, 0.3], [0.05, -0.02, 0.55]);
    const poses = Float32Array.of(...start, ...start);
    alignWithMask(poses, rendered, level, crop);
    expect(poses[11]).toBeCloseTo(0.65, 6);
    // Pixel 5 of the level is pixel 11 of the crop, and 7 is 15.
    const u = (poses[3] / poses[11]) * intrinsics.fx;
    const v = (poses[7] / poses[11]) * intrinsics.fy;
    expect(u).toBeCloseTo((0.05 / 0.55) * intrinsics.fx + 20 - 11, 4);
    expect(v).toBeCloseTo((-0.02 / 0.55) * intrinsics.fy + 9 - 15, 4);
    expect(poses.subarray(16)).toEqual(start);
  });

  test('are judged by what agrees, less all that does not', () => {
    const perfect = [50, 0, 0, 0, 0, 50, 0.001];
    const wrong = [20, 10, 15, 5, 8, 60, 0.001];
    const totals = totalsOf(Float32Array.of(...perfect, ...wrong), level);
    expect(totals[0]).toBe(1);
    expect(totals[1]).toBeCloseTo((20 - 10 - 15 - 5 - 4) / 50, 9);
  });

  test('that nearly agree are one, and the best comes first', () => {
    const near = { angle: 0.2, distance: 0.01 };
    const poses = Float32Array.of(
      ...poseOf([0, 0, 0], [0, 0, 1]),
      ...poseOf([0.15, 0, 0], [0, 0, 1.005]),
      ...poseOf([0.25, 0, 0], [0, 0, 1]),
      ...poseOf([0, 0, 0], [0.02, 0, 1]),
    );
    expect(distinctBest(poses, [0.3, 0.4, 0.2, 0.1], 9, near, ALONE)).toEqual([1, 3]);
    expect(distinctBest(poses, [0.4, 0.3, 0.2, 0.1], 9, near, ALONE)).toEqual([0, 2, 3]);
    expect(distinctBest(poses, [0.4, 0.3, 0.2, 0.1], 2, near, ALONE)).toEqual([0, 2]);
    expect(takePoses(poses, [3, 0])).toEqual(
      Float32Array.of(...poses.subarray(48), ...poses.subarray(0, 16)),
    );
  });
});
