import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import type { Backend } from '../../src/compute/backend.ts';
import { devices } from '../../test/devices.ts';
import { maxAbsoluteError } from '../../test/numbers.ts';
import { refined } from '../icp-step/pose_refine_fixture.ts';
import { floats, unpack } from '../render-poses/pose_kernels_fixture.ts';
import { poseScore, SCORE } from './kernel.ts';

setDefaultTimeout(60_000);

const { score } = refined;
const [IMAGES, HEIGHT, WIDTH] = score.rendered.shape;
const PIXELS = HEIGHT * WIDTH;

/** [N, h, w] → [N, h, w, 3] with other coordinates that nobody may read. */
function asPoints(depth: Float32Array): Float32Array {
  return Float32Array.from({ length: depth.length * 3 }, (_, at) =>
    at % 3 === 2 ? depth[Math.floor(at / 3)] : Number.NaN,
  );
}

interface Given {
  readonly observations: number;
  readonly tolerance?: number;
  readonly rendered?: Float32Array;
  readonly observed?: Float32Array;
  readonly mask?: Uint8Array;
}

async function run(backend: Backend, given: Given): Promise<Float32Array> {
  const { observations, tolerance = score.tolerance } = given;
  const rendered = asPoints(given.rendered ?? floats(score.rendered));
  const observed = asPoints(given.observed ?? floats(score.observed));
  const mask = given.mask ?? (unpack(score.mask) as Uint8Array);
  const inputs = [
    backend.upload(rendered, [rendered.length]),
    backend.upload(observed.slice(0, observations * PIXELS * 3), [observations, PIXELS, 3]),
    backend.upload(mask.slice(0, observations * PIXELS), [observations, PIXELS]),
  ];
  const images = rendered.length / 3 / PIXELS;
  const output = backend.upload(new Float32Array(images * SCORE.columns).fill(-7), [images, 7]);
  const params = { images, observations, width: WIDTH, height: HEIGHT, tolerance };
  backend.run(poseScore, [...inputs, output], params);
  const scores = await backend.download(output);
  backend.release(...inputs, output);
  return scores as Float32Array;
}

describe.each(devices)('pose-score on %s', (_, backend) => {
  test.each([
    ['one observation for all', 1, floats(score.shared)],
    ['an observation for each', IMAGES, floats(score.each)],
  ])('%s: the counts and the mean of the definition', async (_, observations, reference) => {
    const scores = await run(backend, { observations });
    expect(maxAbsoluteError(scores, reference)).toBeLessThan(1e-8);
  });

  test('control: another tolerance, and the other observations, have other scores', async () => {
    const each = await run(backend, { observations: IMAGES });
    expect(maxAbsoluteError(each, floats(score.shared))).toBeGreaterThan(3);
    const strict = await run(backend, { observations: IMAGES, tolerance: score.tolerance * 0.99 });
    expect(maxAbsoluteError(strict, each)).toBeGreaterThan(3);
  });

  test('what is where says what is wrong with a pose', async () => {
    const plane = (z: number, from = 0) =>
      new Float32Array(PIXELS).map((_, at) => (at % WIDTH >= from ? z : 0));
    const mask = new Uint8Array(PIXELS).map((_, at) => Number(at % WIDTH < 7));
    const left = 7 * HEIGHT;
    const right = PIXELS - left;
    const shown = [plane(1), plane(0.9), plane(1.1), plane(1, 7), plane(0)];
    const rendered = Float32Array.from(shown.flatMap((depth) => [...depth]));
    const observed = plane(1.001);
    const scores = await run(backend, { observations: 1, rendered, observed, mask });
    const rows = shown.map((_, row) => [...scores.subarray(row * 7, row * 7 + 6)]);
    expect(rows).toEqual([
      [left, 0, 0, 0, right, PIXELS],
      [0, PIXELS, 0, 0, 0, PIXELS],
      [0, 0, 0, left, 0, PIXELS],
      [0, 0, left, 0, right, right],
      [0, 0, left, 0, 0, 0],
    ]);
    expect(scores[SCORE.residual]).toBeCloseTo(0.001, 6);
    // Where the camera saw nothing, nothing is known.
    const blind = await run(backend, { observations: 1, rendered, observed: plane(0), mask });
    expect([...blind.subarray(0, 7)]).toEqual([0, 0, 0, 0, 0, PIXELS, 0]);
  });
});
