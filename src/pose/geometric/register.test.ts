import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { devices } from '../../../test/devices.ts';
import type { Backend } from '../../compute/backend.ts';
import { openCpuBackend } from '../../compute/cpu/backend.ts';
import { type GeometricPose, registerGeometric } from './register.ts';
import {
  averageDistance,
  type GeneratedScene,
  generatedMesh,
  generatedScene,
} from './scene_fixture.ts';

setDefaultTimeout(180_000);

function check(found: GeometricPose, { mesh, truth }: GeneratedScene): void {
  expect(averageDistance(mesh, found.pose, truth)).toBeLessThan(0.05);
  expect(found.inlierFraction).toBeGreaterThan(0.6);
  expect(found.inlierFraction).toBeLessThanOrEqual(1);
  expect(found.score).toBeGreaterThan(0.4);
  expect(found.residual).toBeLessThan(0.005);
}

function refusesEmptyMask(backend: Backend, { mesh, observation }: GeneratedScene): void {
  const empty = { ...observation, mask: new Uint8Array(observation.mask.length) };
  expect(() => registerGeometric(backend, mesh, empty)).toThrow('the mask has 0 pixels');
}

describe.each(devices)('geometric registration on %s', (_, backend) => {
  test('finds a stone that is hidden by 30 %, and leaves no tensor behind', async () => {
    const scene = await generatedScene(6, 1, 0.3);
    const before = backend.memory().usedBytes;
    check(await registerGeometric(backend, scene.mesh, scene.observation), scene);
    refusesEmptyMask(backend, scene);
    expect(backend.memory().usedBytes).toBe(before);
  });
});

describe('geometric registration', () => {
  const backend = openCpuBackend(1);

  test('finds a box with arms', async () => {
    const scene = await generatedScene(2, 1, 0);
    check(await registerGeometric(backend, scene.mesh, scene.observation), scene);
  });

  test('control: another object at the same place fits worse, and says so', async () => {
    const { observation } = await generatedScene(2, 1, 0);
    const found = await registerGeometric(backend, generatedMesh(1), observation);
    expect(found.score).toBeLessThan(0.3);
  });
});
