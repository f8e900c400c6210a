import { expect, test } from 'bun:test';
import type { PoseEstimate } from './method.ts';
import { depthWarning, maskCoverage, poseWarnings } from './warnings.ts';

const found = (inlierFraction: number, score: number): PoseEstimate => ({
  pose: new Float32Array(16),
  score,
  inlierFraction,
  residual: 0.001,
});

test('a sure pose of the learned method needs no word', () => {
  expect(poseWarnings({ method: 'learned', poses: [found(0.9, 3)] })).toEqual([]);
});

test('a low share of inliers is said', () => {
  const [warning] = poseWarnings({ method: 'learned', poses: [found(0.31, 3)] });
  expect(warning).toStartWith('inlier_fraction is 0.31: less than half');
});

test('a second pose that scores as well is said, a worse one is not', () => {
  const [warning] = poseWarnings({ method: 'learned', poses: [found(0.9, 0.8), found(0.9, 0.79)] });
  expect(warning).toStartWith('another pose scores 0.790 beside 0.800');
  expect(poseWarnings({ method: 'learned', poses: [found(0.9, 0.8), found(0.9, 0.5)] })).toEqual(
    [],
  );
});

test('how near is near goes by the method', () => {
  const close = { poses: [found(0.9, 0.2), found(0.9, 0.16)] };
  expect(poseWarnings({ method: 'learned', ...close })).toEqual([]);
  expect(poseWarnings({ method: 'geometric', ...close })[0]).toStartWith('another pose scores');
  const apart = { poses: [found(0.9, 0.8), found(0.9, 0.74)] };
  expect(poseWarnings({ method: 'geometric', ...apart })).toHaveLength(1);
});

test('the geometric method says what it cannot see', () => {
  const [warning] = poseWarnings({ method: 'geometric', poses: [found(0.9, 0.8)] });
  expect(warning).toContain('texture');
});

test('a mask with little depth is said', () => {
  const depth = new Float32Array(100).fill(1, 0, 10);
  const intrinsics = { fx: 1, fy: 1, cx: 0, cy: 0 };
  const frame = { width: 10, height: 10, rgb: new Uint8Array(300), depth, intrinsics };
  const mask = new Uint8Array(100).fill(1);
  expect(depthWarning(maskCoverage(mask, frame))).toEqual([
    "only 10 of the mask's 100 pixels have depth",
  ]);
  depth.fill(1, 0, 30);
  expect(maskCoverage(mask, frame)).toEqual({ inside: 100, valid: 30 });
  expect(depthWarning(maskCoverage(mask, frame))).toEqual([]);
});
