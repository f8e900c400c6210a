import { describe, expect, test } from 'bun:test';
import type { Backend } from '../../src/compute/backend.ts';
import { devices } from '../../test/devices.ts';
import { maxAbsoluteError } from '../../test/numbers.ts';
import { expected, floats } from '../render-poses/pose_kernels_fixture.ts';
import { poseInput } from './kernel.ts';

const fixture = expected.pose_input;
const [IMAGES, HEIGHT, WIDTH] = fixture.rgb.shape;

interface Options {
  readonly min_depth: number;
  readonly radius: number;
  readonly channels_first: number;
}

async function run(backend: Backend, options: Options): Promise<Float32Array> {
  const inputs = [fixture.rgb, fixture.xyz, fixture.poses].map((packed) =>
    backend.upload(floats(packed), packed.shape),
  );
  const output = backend.empty('float32', [IMAGES, HEIGHT, WIDTH, 6]);
  const size = { width: WIDTH, height: HEIGHT, images: IMAGES };
  backend.run(poseInput, [...inputs, output], { ...size, ...options });
  const tensor = await backend.download(output);
  backend.release(...inputs, output);
  return tensor;
}

/** [N, 6, h, w] → [N, h, w, 6]. */
function channelsLast(tensor: Float32Array): Float32Array {
  const plane = HEIGHT * WIDTH;
  return tensor.map((_, at) => {
    const [channel, pixel] = [at % 6, Math.floor(at / 6)];
    return tensor[(Math.floor(pixel / plane) * 6 + channel) * plane + (pixel % plane)];
  });
}

describe.each(devices)('pose-input on %s', (_, backend) => {
  test.each(fixture.cases.map((one) => [one.min_depth, one] as const))(
    'least depth %d: the tensor of the definition in float64, in both layouts',
    async (min_depth, { radius, tensor }) => {
      const last = await run(backend, { min_depth, radius, channels_first: 0 });
      expect(maxAbsoluteError(last, floats(tensor))).toBeLessThan(1e-5);
      const first = await run(backend, { min_depth, radius, channels_first: 1 });
      expect(first).not.toEqual(last);
      expect(channelsLast(first)).toEqual(last);
    },
  );

  test('control: the other least depth, and a radius that differs by 1 in 1000, are told apart', async () => {
    const [{ radius, min_depth, tensor }, other] = fixture.cases;
    const error = async (options: Pick<Options, 'min_depth' | 'radius'>) =>
      maxAbsoluteError(await run(backend, { ...options, channels_first: 0 }), floats(tensor));
    expect(await error({ radius, min_depth: other.min_depth })).toBeGreaterThan(0.1);
    expect(await error({ radius: radius * 1.001, min_depth })).toBeGreaterThan(1e-3);
  });
});
