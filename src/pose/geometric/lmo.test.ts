/** The geometric method on a real frame: a LINEMOD-Occlusion object, a fifth of it hidden. */
import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { isLmoPresent, loadLmo } from '../../../test/pose/lmo.ts';
import { openCpuBackend } from '../../compute/cpu/backend.ts';
import { poseError, poseOf } from '../ellipsoid_fixture.ts';
import { geometricMethod } from './method.ts';

setDefaultTimeout(120_000);

if (!isLmoPresent) console.warn('SKIPPED poses on LM-O: no ../shared/data/pose/lmo');

describe.skipIf(!isLmoPresent)('object 5 of LM-O on the cpu', () => {
  const method = geometricMethod(openCpuBackend(1));

  test('is registered within 5° and 15 mm of the ground truth', async () => {
    const { object, frame, mask, truth } = await loadLmo();
    const [best, second] = await method.register(object, frame, mask, { topK: 2 });
    const { angle, distance } = poseError(best.pose, truth);
    expect(angle).toBeLessThan(5);
    expect(distance).toBeLessThan(0.015);
    expect(best.inlierFraction).toBeGreaterThan(0.5);
    expect(best.score).toBeGreaterThan(0.4);
    expect(second.score).toBeLessThan(best.score - 0.1);
  });

  test('is tracked from 2 cm and 8° beside to within 5° and 15 mm', async () => {
    const { object, frame, truth } = await loadLmo();
    const turn = poseOf([0.1, -0.06, 0.08], [0.012, -0.01, 0.012]);
    const last = truth.slice();
    for (let row = 0; row < 3; row++) {
      for (let column = 0; column < 3; column++) {
        last[row * 4 + column] = [0, 1, 2].reduce(
          (sum, k) => sum + turn[row * 4 + k] * truth[k * 4 + column],
          0,
        );
      }
      last[row * 4 + 3] += turn[row * 4 + 3];
    }
    expect(poseError(last, truth).angle).toBeGreaterThan(6);
    const found = await method.track(object, frame, last);
    const { angle, distance } = poseError(found.pose, truth);
    expect(angle).toBeLessThan(5);
    expect(distance).toBeLessThan(0.015);
    expect(found.inlierFraction).toBeGreaterThan(0.6);
  });
});
