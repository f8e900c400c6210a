import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { renderPoses } from '../../../kernels/render-poses/kernel.ts';
import { expected } from '../../../kernels/render-poses/pose_kernels_fixture.ts';
import { renderFixture, sceneOf } from '../../../kernels/render-poses/render_fixture.ts';
import { maxAbsoluteError } from '../../../test/numbers.ts';
import type { Backend } from '../backend.ts';
import { openWebGpuBackend } from './backend.ts';

setDefaultTimeout(120_000);

const hasSoftware = process.platform === 'linux' && process.arch === 'x64';
if (!hasSoftware) console.warn('SKIPPED raster passes: no software adapter on this platform');

describe.skipIf(!hasSoftware)('a raster kernel', () => {
  const scene = sceneOf(expected.render[0]);
  const { width, height } = scene.params;

  test('in passes of one, two and three images: the same four images', async () => {
    const results = [];
    for (const images of [1, 2, 3, 4]) {
      const passPixels = width * height * images;
      const backend = await openWebGpuBackend('software', { passPixels });
      results.push(await renderFixture(backend, scene));
      await backend.dispose();
    }
    const whole = results.pop()!;
    for (const { rgb, xyz } of results) {
      expect(maxAbsoluteError(rgb, whole.rgb)).toBe(0);
      expect(maxAbsoluteError(xyz, whole.xyz)).toBe(0);
    }
  });

  test('its textures are counted as kept, and wrong buffers and sizes are refused', async () => {
    const backend: Backend = await openWebGpuBackend('software');
    const before = backend.memory().pooledBytes;
    await renderFixture(backend, scene);
    expect(backend.memory().pooledBytes).toBeGreaterThanOrEqual(before + width * height * 4 * 8);
    const one = backend.empty('uint8', [4]);
    expect(() => backend.draw(renderPoses, [one], scene.params)).toThrow('expected buffers');
    const wide = { ...scene, params: { ...scene.params, width: 100_000, height: 1, images: 1 } };
    await expect(renderFixture(backend, wide)).rejects.toThrow('at most');
    backend.release(one);
    await renderFixture(backend, scene);
    await backend.dispose();
  });
});
