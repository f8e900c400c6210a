import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { devices } from '../../../test/devices.ts';
import { averageDistance, poseDistance } from '../../../test/pose/accuracy.ts';
import { measureRecall } from '../../../test/pose/recall.ts';
import { type GeneratedScene, generatedScene, sceneAt } from '../../../test/pose/scenes.ts';
import { openCpuBackend } from '../../compute/cpu/backend.ts';
import { poseOf } from '../ellipsoid_fixture.ts';
import type { PoseEstimate, PoseObject } from '../method.ts';
import { centered, uncentered } from '../symmetric_poses.ts';
import { geometricMethod } from './method.ts';

setDefaultTimeout(180_000);

/** Of the generated objects. */
const [LETTER, STONE, VASE, PROPELLER] = [4, 12, 15, 19];

function check(found: PoseEstimate, { object, truth }: GeneratedScene): void {
  expect(poseDistance(object, found.pose, truth)).toBeLessThan(0.05);
  expect(found.inlierFraction).toBeGreaterThan(0.6);
  expect(found.inlierFraction).toBeLessThanOrEqual(1);
  expect(found.score).toBeGreaterThan(0.4);
  expect(found.residual).toBeLessThan(0.005);
}

/** A pose turned about the object's middle, and moved. */
function nudged(pose: Float32Array, center: readonly number[], turn: readonly number[]) {
  const motion = poseOf(turn, [0.02, -0.015, 0.02]);
  const from = centered(pose, center);
  const to = from.slice();
  for (let row = 0; row < 12; row += 4) {
    for (let column = 0; column < 3; column++) {
      to[row + column] = [0, 1, 2].reduce(
        (sum, k) => sum + motion[row + k] * from[k * 4 + column],
        0,
      );
    }
    to[row + 3] += motion[row + 3];
  }
  return uncentered(to, center);
}

/** The least mean distance of vertices between two poses, the second turned by any symmetry. */
function symmetricDistance({ mesh, symmetries }: PoseObject, a: Float32Array, b: Float32Array) {
  const turned = symmetries.map((symmetry) =>
    b.map((_, at) => {
      const [row, column] = [at - (at % 4), at % 4];
      return [0, 1, 2, 3].reduce((sum, k) => sum + b[row + k] * symmetry[k * 4 + column], 0);
    }),
  );
  return Math.min(...[b, ...turned].map((pose) => averageDistance(mesh, a, pose)));
}

describe.each(devices)('the geometric method on %s', (_, backend) => {
  test('registers a stone that is hidden by 30 %, and leaves no tensor behind', async () => {
    const { object, frame, mask, ...scene } = await generatedScene(STONE, 1, 0.3);
    const before = backend.memory().usedBytes;
    const method = geometricMethod(backend);
    const found = await method.register(object, frame, mask);
    expect(found).toHaveLength(1);
    check(found[0], { object, frame, mask, ...scene });
    const empty = new Uint8Array(mask.length);
    expect(method.register(object, frame, empty)).rejects.toThrow('the mask has 0 pixels');
    expect(backend.memory().usedBytes).toBe(before);
  });

  test('tracks it a frame on, and leaves no tensor behind', async () => {
    const { object, frame, truth } = await generatedScene(STONE, 1, 0.3);
    const before = backend.memory().usedBytes;
    const last = nudged(truth, object.mesh.center, [0.12, -0.1, 0.08]);
    expect(poseDistance(object, last, truth)).toBeGreaterThan(0.15);
    const found = await geometricMethod(backend).track(object, frame, last);
    expect(poseDistance(object, found.pose, truth)).toBeLessThan(0.03);
    expect(found.inlierFraction).toBeGreaterThan(0.6);
    expect(found.residual).toBeLessThan(0.005);
    expect(backend.memory().usedBytes).toBe(before);
  });
});

describe('registration', () => {
  const method = geometricMethod(openCpuBackend(1));

  test('finds 9 of 10 generated objects', async () => {
    const outcomes = await measureRecall(method, [0, 1, 2, 3, 6, 8, 10, 11, 15, 16, 17, 18], 1);
    const found = outcomes.filter(({ distance }) => distance < 0.1);
    expect(found.length / outcomes.length).toBeGreaterThanOrEqual(0.9);
  });

  test('gives distinct poses, the best first', async () => {
    const { object, frame, mask, truth } = await generatedScene(LETTER, 2, 0);
    const found = await method.register(object, frame, mask, { topK: 3 });
    expect(found).toHaveLength(3);
    expect(poseDistance(object, found[0].pose, truth)).toBeLessThan(0.05);
    const scores = found.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    found.forEach(({ pose }, index) => {
      for (const other of found.slice(index + 1)) {
        expect(poseDistance(object, pose, other.pose)).toBeGreaterThan(0.04);
      }
    });
  });

  test.each([VASE, PROPELLER])('of symmetric object %d gives no pose twice', async (index) => {
    const { object, frame, mask, truth } = await generatedScene(index, 3, 0.1);
    const found = await method.register(object, frame, mask, { topK: 4 });
    expect(poseDistance(object, found[0].pose, truth)).toBeLessThan(0.05);
    const isTruth = ({ pose }: PoseEstimate) => symmetricDistance(object, pose, truth) < 0.06;
    expect(found.filter(isTruth)).toHaveLength(1);
    // Control: without its symmetries the same pose comes again.
    const plain = { ...object, symmetries: [] };
    const blind = await method.register(plain, frame, mask, { topK: 4 });
    expect(blind.filter(isTruth).length).toBeGreaterThan(1);
  });

  test('control: another object at the same place fits worse, and says so', async () => {
    const { frame, mask } = await generatedScene(2, 1, 0);
    const { object } = await generatedScene(1, 1, 0);
    const [found] = await method.register(object, frame, mask);
    expect(found.score).toBeLessThan(0.3);
  });
});

describe('tracking', () => {
  const method = geometricMethod(openCpuBackend(1));

  test('follows an object over ten frames', async () => {
    const start = await generatedScene(LETTER, 5, 0.1);
    const { center } = start.object.mesh;
    let [last, truth] = [start.truth, start.truth];
    for (let frame = 1; frame <= 10; frame++) {
      const motion = nudged(truth, center, [0.06, 0.08 * Math.sin(frame), -0.05]);
      motion[11] -= 0.02;
      truth = motion;
      const seen = await sceneAt(start.object, truth, 0, frame);
      const found = await method.track(start.object, seen.frame, last);
      expect(poseDistance(start.object, found.pose, truth)).toBeLessThan(0.04);
      expect(found.inlierFraction).toBeGreaterThan(0.6);
      last = found.pose;
    }
  });

  test('shows by few inliers that the object is gone', async () => {
    const { object, frame, truth } = await generatedScene(LETTER, 5, 0);
    const behind = centered(truth, object.mesh.center)[11] + 0.7 * object.mesh.diameter;
    const empty = { ...frame, depth: frame.depth.map((z) => (z === 0 ? 0 : behind)) };
    const found = await method.track(object, empty, truth);
    expect(found.inlierFraction).toBeLessThan(0.2);
    expect(found.score).toBeLessThan(-0.5);
  });

  test('refuses a pose that nothing can be seen of', async () => {
    const { object, frame, truth } = await generatedScene(LETTER, 5, 0);
    const at = (x: number, z: number) => {
      const pose = truth.slice();
      pose.set([x], 3);
      pose.set([z], 11);
      return pose;
    };
    expect(method.track(object, frame, at(0, -1))).rejects.toThrow('expected more than 0');
    expect(method.track(object, frame, at(0, Number.NaN))).rejects.toThrow('NaN m before');
    expect(method.track(object, frame, at(3, 0.7))).rejects.toThrow('out of sight of a picture of');
    const dark = { ...frame, depth: new Float32Array(frame.depth.length) };
    expect(method.track(object, dark, truth)).rejects.toThrow('0 pixels have a depth from');
  });
});
