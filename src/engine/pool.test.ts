import { afterEach, describe, expect, test } from 'bun:test';
import { fileURLToPath } from 'node:url';
import { devices } from '../../test/devices.ts';
import { crash, echo, hang, native, refuse, sleep } from '../../test/engine/kinds.ts';
import type { EngineError } from './errors.ts';
import { EnginePool, type PoolOptions } from './pool.ts';

const entry = new URL('../../test/engine/worker.ts', import.meta.url);
const hasGpu = devices.some(([choice]) => choice === 'webgpu');
const SOON = { deadlineMs: 20_000 };
let pools: EnginePool[] = [];

async function start(options: Partial<PoolOptions> = {}): Promise<EnginePool> {
  const pool = new EnginePool({
    entry,
    device: 'cpu',
    workers: 1,
    queueCapacity: 8,
    watchdogMs: 10_000,
    ...options,
  });
  pools.push(pool);
  await pool.ready();
  return pool;
}

afterEach(() => {
  for (const pool of pools) pool.close();
  pools = [];
});

/** The error that a promise rejects with. */
async function failure(promise: Promise<unknown>): Promise<EngineError> {
  return promise.then(
    () => {
      throw new Error('expected a rejection');
    },
    (error: EngineError) => error,
  );
}

const values = (...numbers: number[]) => ({ key: 'a', values: Float32Array.from(numbers) });

describe('a task', () => {
  test('goes to the engine and back, its buffers transferred', async () => {
    const pool = await start();
    const input = values(1, 2, 3);
    const { output, timings } = await pool.submit(echo, input, SOON);
    expect([...output.values]).toEqual([1, 2, 3]);
    expect(Object.keys(timings)).toEqual(['queue', 'run']);
    expect(input.values.length).toBe(0);
  });

  test("carries its handler's error and status, and the next one works", async () => {
    const pool = await start();
    const error = await failure(pool.submit(refuse, null, SOON));
    expect(error).toMatchObject({
      failure: 'task_failed',
      status: 503,
      message: 'the model is not installed',
    });
    expect((await pool.submit(echo, values(4), SOON)).output.batch).toBe(1);
  });
});

describe('the queue', () => {
  test('runs waiting tasks of one key as a batch, and no others with them', async () => {
    const pool = await start();
    const running = pool.submit(sleep, { ms: 50 }, SOON);
    const tasks = ['a', 'b', 'a', 'a', 'a', 'a'].map((key, index) =>
      pool.submit(echo, { ...values(index), key }, SOON),
    );
    await running;
    const outputs = (await Promise.all(tasks)).map(({ output }) => output);
    expect(outputs.map(({ batch }) => batch)).toEqual([4, 1, 4, 4, 4, 1]);
    expect(outputs.map((output) => output.values[0])).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('refuses what passes its bound', async () => {
    const pool = await start({ queueCapacity: 2 });
    const tasks = [1, 2, 3].map(() => pool.submit(sleep, { ms: 30 }, SOON));
    const error = await failure(pool.submit(sleep, { ms: 1 }, SOON));
    expect(error).toMatchObject({ failure: 'queue_full', status: 503, retryAfterSeconds: 1 });
    await Promise.all(tasks);
  });

  test('drops a task at its deadline', async () => {
    const pool = await start();
    const running = pool.submit(sleep, { ms: 200 }, SOON);
    const error = await failure(pool.submit(sleep, { ms: 1 }, { deadlineMs: 20 }));
    expect(error).toMatchObject({ failure: 'deadline', status: 503 });
    expect(pool.queueLength).toBe(0);
    await running;
  });

  test('drops a task whose caller went away', async () => {
    const pool = await start();
    const running = pool.submit(sleep, { ms: 100 }, SOON);
    const controller = new AbortController();
    const waiting = failure(pool.submit(sleep, { ms: 1 }, { ...SOON, signal: controller.signal }));
    expect(pool.queueLength).toBe(1);
    controller.abort();
    expect(pool.queueLength).toBe(0);
    expect(await waiting).toMatchObject({ failure: 'cancelled', status: 499 });
    await running;
  });

  test('gives work to the engines in turn', async () => {
    const pool = await start({ workers: 2 });
    const order: string[] = [];
    const slow = pool.submit(sleep, { ms: 300 }, SOON).then(() => order.push('slow'));
    for (let i = 0; i < 3; i++) {
      await pool.submit(sleep, { ms: 1 }, SOON);
      order.push('quick');
    }
    await slow;
    expect(order).toEqual(['quick', 'quick', 'quick', 'slow']);
  });
});

describe('a lost engine', () => {
  test.each([
    ['hangs', hang, 'did not finish a task'],
    ['crashes', crash, 'crashed'],
  ] as const)(
    'that %s fails its task with 503, and the next one works',
    async (_, kind, reason) => {
      const reasons: string[] = [];
      const pool = await start({
        watchdogMs: 1500,
        onEngineLost: (_index, message) => reasons.push(message),
      });
      const lost = failure(pool.submit(kind, null, SOON));
      const next = pool.submit(echo, values(7), SOON);
      expect(await lost).toMatchObject({ failure: 'engine_lost', status: 503 });
      expect((await next).output.values[0]).toBe(7);
      expect(reasons).toHaveLength(1);
      expect(reasons[0]).toContain(reason);
    },
  );

  test('that outlasts the watchdog in native code, which must not be ended, is replaced', async () => {
    const pool = await start({ watchdogMs: 400, threads: 1 });
    const error = await failure(pool.submit(native, null, SOON));
    expect(error).toMatchObject({ failure: 'engine_lost', status: 503 });
    // More than once: each leaves a worker behind until its call returns.
    await failure(pool.submit(native, null, SOON));
    expect((await pool.submit(echo, values(7), SOON)).output.values[0]).toBe(7);
  });

  test.skipIf(hasGpu || process.platform !== 'linux')(
    'that cannot start leaves no thread behind',
    () => {
      const script = fileURLToPath(new URL('../../test/engine/restart_leak.ts', import.meta.url));
      const { stdout } = Bun.spawnSync([process.execPath, script]);
      const grown = stdout.toString().trim();
      expect(grown).toMatch(/^-?\d+$/);
      // Four engines a round, for two rounds, would be eight.
      expect(Number(grown)).toBeLessThan(4);
    },
  );

  test.skipIf(hasGpu)('that never starts is given up, with the reason', async () => {
    const pool = new EnginePool({
      entry,
      device: 'webgpu',
      workers: 1,
      queueCapacity: 2,
      watchdogMs: 5000,
    });
    pools.push(pool);
    const error = await failure(pool.ready());
    expect(error).toMatchObject({ failure: 'engine_lost', status: 503 });
  });
});
