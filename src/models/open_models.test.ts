import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { devices } from '../../test/devices.ts';
import { maxAbsoluteError } from '../../test/numbers.ts';
import type { Backend, Model } from '../compute/backend.ts';
import { withTensors } from '../compute/scope.ts';
import { replaysTruly } from './capture_check.ts';
import { encodeOnnx } from './onnx_fixture.ts';
import { OpenModels } from './open_models.ts';

setDefaultTimeout(180_000);

const folder = join(import.meta.dir, '../../test/fixtures');
const trap = {
  name: 'trap',
  file: join(folder, 'capture/ends-in-squeeze.onnx'),
  version: 1,
  bytes: 1,
};
const rounding = {
  name: 'rounding',
  file: join(folder, 'capture/rounds.onnx'),
  version: 1,
  bytes: 1,
};
const sound = {
  name: 'sound',
  file: join(folder, 'depth-parity/metric-static.onnx'),
  version: 1,
  bytes: 1,
};

/** y = eˣ with a free first dimension of this name. */
async function exponential(dimension: string) {
  const dims = [dimension, 4];
  const file = join(mkdtempSync(join(tmpdir(), 'triptych-open-')), 'exp.onnx');
  const nodes = [{ operator: 'Exp', inputs: ['x'], outputs: ['y'] }];
  const ends = { inputs: [{ name: 'x', dims }], outputs: [{ name: 'y', dims }] };
  await Bun.write(file, encodeOnnx({ ...ends, nodes }));
  return { name: 'exp', file, version: 1, bytes: 1 };
}

/** 20·sigmoid(x) of the trap graph for x = `value`, …, `value` + 15. */
function run(backend: Backend, model: Model, value: number): Promise<Float32Array> {
  const x = Float32Array.from({ length: 16 }, (_, i) => (value + i) / 10);
  return withTensors(backend, async (keep) => {
    const { y } = await model.run({ x: keep(backend.upload(x, [1, 1, 4, 4])) }, ['y']);
    return (await backend.download(keep(y))) as Float32Array;
  });
}
const truth = (value: number) =>
  Float64Array.from({ length: 16 }, (_, i) => 20 / (1 + Math.exp(-(value + i) / 10)));

describe.each(devices)('open models on %s', (_, backend) => {
  test('a graph that capture would falsify is right, however often it is asked for', async () => {
    const models = new OpenModels(backend);
    for (const value of [-9, -3, 0, 4, 7]) {
      const result = await run(backend, await models.getFor(trap, {}), value);
      expect(maxAbsoluteError(result, truth(value))).toBeLessThan(1e-5);
    }
  });

  test('a graph that cannot be captured at all works, however often it is asked for', async () => {
    const models = new OpenModels(backend);
    const rounded = Float64Array.from(
      { length: 16 },
      (_, k) => 1 / (1 + Math.exp(-Math.round((3.3 + k) / 10))),
    );
    for (let i = 0; i < 5; i++) {
      const result = await run(backend, await models.getFor(rounding, {}), 3.3);
      expect(maxAbsoluteError(result, rounded)).toBeLessThan(1e-5);
    }
  });

  test('the same shape again is the same model, and its name is listed', async () => {
    const models = new OpenModels(backend);
    const first = await models.get(trap);
    expect(await models.get(trap)).toBe(first);
    expect(models.names()).toEqual(['trap']);
  });

  test('a shape that keeps coming has a graph of its own, and the free one may go', async () => {
    const source = await exponential('images');
    for (const which of ['only', 'one of several'] as const) {
      const models = new OpenModels(backend);
      const free = await models.get(source);
      const taken: Model[] = [];
      for (const value of [1, 2, -1, 0.5]) {
        const model = await models.getForShapes(source, { x: [2, 4] }, which);
        taken.push(model);
        await withTensors(backend, async (keep) => {
          const x = keep(backend.upload(new Float32Array(8).fill(value), [2, 4]));
          const { y } = await model.run({ x }, ['y']);
          const powers = (await backend.download(keep(y))) as Float32Array;
          expect(maxAbsoluteError(powers, new Float32Array(8).fill(Math.exp(value)))).toBeLessThan(
            1e-5,
          );
        });
      }
      const captures = backend.info.kind === 'webgpu';
      expect(taken.map(({ reusesOutputs }) => reusesOutputs)).toEqual(
        captures ? [false, false, true, true] : [false, false, false, false],
      );
      expect(taken[3]).toBe(taken[2]);
      expect((await models.get(source)) === free).toBe(!captures || which === 'one of several');
      expect((await models.getForShapes(source, { x: [3, 4] }, which)).reusesOutputs).toBe(false);
    }
  });

  test('a graph whose free dimension has no name stays free', async () => {
    const source = await exponential('');
    const models = new OpenModels(backend);
    const free = await models.get(source);
    for (let i = 0; i < 4; i++) {
      const model = await models.getForShapes(source, { x: [2, 4] }, 'only');
      expect(model === free).toBe(true);
    }
  });

  test('a file that was replaced is opened anew', async () => {
    const models = new OpenModels(backend);
    const first = await models.get(trap);
    expect(await models.get({ ...trap, version: 2 })).not.toBe(first);
  });

  test('the least recently used is closed past the bound', async () => {
    const models = new OpenModels(backend, 1);
    const first = await models.get(trap);
    await models.get({ ...sound, bytes: 1 });
    expect(models.names()).toEqual(['sound']);
    expect(await models.get(trap)).not.toBe(first);
  });
});

const webgpu = devices.filter(([, backend]) => backend.info.kind === 'webgpu');
describe.each(webgpu)('the capture check on %s', (_, backend) => {
  test('control: refuses the graph that ends in Squeeze', async () => {
    const captured = await backend.openModel(trap.file, { capture: true });
    const free = await backend.openModel(trap.file);
    expect(await replaysTruly(backend, captured, free)).toBe(false);
    await Promise.all([captured.dispose(), free.dispose()]);
  });

  test('lets a sound graph through', async () => {
    const captured = await backend.openModel(sound.file, { capture: true });
    const free = await backend.openModel(sound.file);
    expect(await replaysTruly(backend, captured, free)).toBe(true);
    await Promise.all([captured.dispose(), free.dispose()]);
  });
});
