/** The device contract, the same on every backend. */
import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { join } from 'node:path';
import { resizeDepth } from '../../kernels/resize-depth/kernel.ts';
import { devices } from '../../test/devices.ts';
import { maxAbsoluteError, seeded } from '../../test/numbers.ts';
import { openCpuBackend } from './cpu/backend.ts';
import { withTensors } from './scope.ts';

// A software rasteriser compiles an attention graph in tens of seconds on a busy machine.
setDefaultTimeout(180_000);

const folder = join(import.meta.dir, '../../test/fixtures/depth-parity');
const STATIC = join(folder, 'metric-static.onnx');
const [HEIGHT, WIDTH] = [56, 70];

describe.each(devices)('%s', (choice, backend) => {
  test('an upload comes back as it was, whatever its length', async () => {
    for (const length of [1, 2, 3, 4, 5, 4097]) {
      const bytes = Uint8Array.from({ length }, (_, i) => i * 7);
      // A view into a larger buffer.
      const shifted = new Uint8Array(length + 8).subarray(5, 5 + length);
      shifted.set(bytes);
      const tensor = backend.upload(shifted, [length]);
      expect([...(await backend.download(tensor))]).toEqual([...bytes] as never);
      backend.release(tensor);
    }
    const longs = BigInt64Array.of(1n, -2n, 2n ** 40n);
    const tensor = backend.upload(longs, [3]);
    expect(await backend.download(tensor)).toEqual(longs as never);
    backend.release(tensor);
  });

  test('a copy on the device takes the range asked for, and no other', async () => {
    const source = backend.upload(Float32Array.of(1, 2, 3, 4, 5), [5]);
    const target = backend.upload(new Float32Array(6), [2, 3]);
    backend.copy(source, target, { from: 1, to: 2, count: 3 });
    expect([...((await backend.download(target)) as Float32Array)]).toEqual([0, 0, 2, 3, 4, 0]);
    backend.copy(source, target);
    expect([...((await backend.download(target)) as Float32Array)]).toEqual([1, 2, 3, 4, 5, 0]);
    for (const range of [{ to: 2 }, { from: 5, count: 1 }, { from: -1, count: 2 }]) {
      expect(() => backend.copy(source, target, range)).toThrow('elements that exist');
    }
    const bytes = backend.upload(new Uint8Array(8), [8]);
    expect(() => backend.copy(bytes, target)).toThrow('equal types');
    backend.release(source, target, bytes);
  });

  test('a tensor of truth values is bytes, and says that it is not numbers', async () => {
    const tensor = backend.upload(Uint8Array.of(1, 0, 1), [3], 'bool');
    expect(tensor.dtype).toBe('bool');
    expect([...(await backend.download(tensor))]).toEqual([1, 0, 1] as never);
    backend.release(tensor);
  });

  test('an upload that does not fill its shape is refused', () => {
    expect(() => backend.upload(new Float32Array(5), [2, 2])).toThrow('expected 4');
    expect(() => backend.upload(new Uint8Array(3), [4])).toThrow('3 elements');
  });

  test('a download is the caller’s own', async () => {
    const tensor = backend.upload(Float32Array.of(1, 2), [2]);
    const first = (await backend.download(tensor)) as Float32Array;
    first[0] = 9;
    expect([...((await backend.download(tensor)) as Float32Array)]).toEqual([1, 2]);
    backend.release(tensor);
  });

  test('memory is counted, and a scope gives it back also when its body throws', async () => {
    const before = backend.memory().usedBytes;
    const failing = withTensors(backend, async (keep) => {
      keep(backend.empty('float32', [1000]));
      expect(backend.memory().usedBytes).toBeGreaterThan(before);
      throw new Error('body');
    });
    await expect(failing).rejects.toThrow('body');
    expect(backend.memory().usedBytes).toBe(before);
  });

  test("another backend's tensor is refused", () => {
    const stranger = { dtype: 'float32', dims: [1] } as const;
    expect(() => backend.release(stranger)).toThrow('another');
  });

  test('a graph of fixed shape gives the same captured, free and on the CPU, run after run', async () => {
    const options = choice === 'cpu' ? {} : { capture: true };
    const model = await backend.openModel(STATIC, options);
    const other = await backend.openModel(join(folder, 'relative.onnx'));
    const cpu = openCpuBackend();
    const reference = await cpu.openModel(STATIC);
    const random = seeded(3);
    const [input] = model.inputs;
    const dims = input.dims as number[];
    for (let round = 0; round < 3; round++) {
      const data = Float32Array.from(
        { length: dims.reduce((a, b) => a * b) },
        () => random() * 4 - 2,
      );
      const run = async (on: typeof backend, graph: typeof model) =>
        withTensors(on, async (keep) => {
          const feeds = { [input.name]: keep(on.upload(data, dims)) };
          const { depth } = await graph.run(feeds, ['depth']);
          return (await on.download(keep(depth))) as Float32Array;
        });
      const expected = await run(cpu, reference);
      expect(maxAbsoluteError(await run(backend, model), expected)).toBeLessThan(2e-3);
      // Another graph between two replays must not disturb them.
      await withTensors(backend, async (keep) => {
        const small = keep(backend.upload(new Float32Array(3 * 28 * 28), [1, 3, 28, 28]));
        keep((await other.run({ pixel_values: small }, ['predicted_depth'])).predicted_depth);
      });
    }
    await Promise.all([model.dispose(), other.dispose(), reference.dispose()]);
    expect(dims).toEqual([1, 3, HEIGHT, WIDTH]);
  });

  test('two runs at once do not hang', async () => {
    const model = await backend.openModel(STATIC);
    await withTensors(backend, async (keep) => {
      const data = new Float32Array(3 * HEIGHT * WIDTH);
      const image = keep(backend.upload(data, [1, 3, HEIGHT, WIDTH]));
      const results = await Promise.all([1, 2].map(() => model.run({ image }, ['depth'])));
      for (const { depth } of results) keep(depth);
    });
    await model.dispose();
  });

  test('a file that is no graph is refused, and the next one opens', async () => {
    await expect(backend.openModel(join(folder, 'manifest.json'))).rejects.toThrow();
    await (await backend.openModel(STATIC)).dispose();
  });

  test('what the device cannot do fails, and what comes next is right', async () => {
    if (backend.info.kind === 'cpu') return;
    const params = {
      src_width: 1,
      src_height: 1,
      dst_width: 16 * 65_536,
      dst_height: 1,
      src_offset: 0,
      depth_scale: 1,
    };
    const one = backend.upload(Float32Array.of(1), [1, 1]);
    const many = backend.empty('float32', [1, 16 * 65_536]);
    expect(() => backend.run(resizeDepth, [one, many], params)).toThrow('workgroups');
    expect(() => backend.empty('float32', [2 ** 40])).toThrow('at most');
    // A source of 1×1 bound as input and output at once: refused by WebGPU itself, and late.
    backend.run(resizeDepth, [one, one], { ...params, dst_width: 1 });
    await expect(backend.download(one)).rejects.toThrow('the GPU refused');
    backend.run(resizeDepth, [one, many], { ...params, dst_width: 4 });
    expect([...((await backend.download(many)) as Float32Array).subarray(0, 4)]).toEqual([
      1, 1, 1, 1,
    ]);
    backend.release(one, many);
  });

  test('kernels run on tensors of the declared types only', () => {
    if (backend.info.kind === 'cpu') return;
    const bytes = backend.empty('uint8', [4]);
    const params = {
      src_width: 1,
      src_height: 1,
      dst_width: 1,
      dst_height: 1,
      src_offset: 0,
      depth_scale: 1,
    };
    expect(() => backend.run(resizeDepth, [bytes, bytes], params)).toThrow('expected buffers');
    backend.release(bytes);
  });
});
