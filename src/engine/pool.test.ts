import { afterEach, describe, expect, test } from 'bun:test';
import { fileURLToPath } from 'node:url';
import { devices } from '../../test/devices.ts';
import {
  count,
  crash,
  echo,
  hang,
  native,
  refuse,
  sleep,
  sleepInParts,
  sleepNear,
} from '../../test/engine/kinds.ts';
import type { EngineError } from './errors.ts';
import { EnginePool, type PoolOptions } from './pool.ts';

const entry = new URL('../../test/engine/worker.ts', import.meta.url);
const hasGpu = devices.some(([choice]) => choice === 'webgpu');
const SOON = { deadlineMs: 20_000 };
const settings = { featureCache: { maxBytes: 123, ttlMs: 0 } };
let pools: EnginePool[] = [];

async function start(options: Partial<PoolOptions> = {}): Promise<EnginePool> {
  const pool = new EnginePool({
    entry,
    device: 'cpu',
    workers: 1,
    queueCapacity: 8,
    watchdogMs: 10_000,
    settings,
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

describe('with several engines', () => {
  test('a task goes to the free engine that last ran its affinity key', async () => {
    const pool = await start({ workers: 3 });
    const on = async (name: string) => (await pool.submit(sleepNear, { name, ms: 1 }, SOON)).engine;
    const [a, b] = [await on('a'), await on('b')];
    expect(b).not.toBe(a);
    // In turn it would be another one each time.
    expect([await on('a'), await on('a'), await on('b'), await on('a')]).toEqual([a, a, b, a]);
    expect([a, b]).not.toContain(await on('c'));
  });

  test('a task waits for no engine that is busy, whatever its affinity', async () => {
    const pool = await start({ workers: 2 });
    const { engine } = await pool.submit(sleepNear, { name: 'a', ms: 1 }, SOON);
    const slow = pool.submit(sleepNear, { name: 'a', ms: 400 }, SOON);
    const quick = await pool.submit(sleepNear, { name: 'a', ms: 1 }, SOON);
    expect((await slow).engine).toBe(engine);
    expect(quick.engine).not.toBe(engine);
    expect(quick.timings.queue).toBeLessThan(400);
  });

  test('a pinned task waits for its engine, and others pass it', async () => {
    const pool = await start({ workers: 2 });
    const order: string[] = [];
    const slow = pool.submit(sleep, { ms: 400 }, SOON);
    const pin = (await pool.submit(sleep, { ms: 1 }, SOON)).engine === 0 ? 1 : 0;
    const note = (name: string, options: { engine?: number }) =>
      pool.submit(sleep, { ms: 1 }, { ...SOON, ...options }).then(({ engine }) => {
        order.push(name);
        return engine;
      });
    const pinned = [note('first', { engine: pin }), note('second', { engine: pin })];
    expect(await note('other', {})).not.toBe(pin);
    expect(pool.queueLength).toBe(2);
    expect(await Promise.all(pinned)).toEqual([pin, pin]);
    expect((await slow).engine).toBe(pin);
    expect(order).toEqual(['other', 'first', 'second']);
  });

  test('a batch takes no task that is pinned elsewhere', async () => {
    const pool = await start({ workers: 2 });
    const both = [0, 1].map((engine) => pool.submit(sleep, { ms: 50 }, { ...SOON, engine }));
    const tasks = [0, 1, 0].map((engine) => pool.submit(echo, values(1), { ...SOON, engine }));
    const answers = await Promise.all(tasks);
    expect(answers.map(({ engine }) => engine)).toEqual([0, 1, 0]);
    expect(answers.map(({ output }) => output.batch)).toEqual([2, 1, 2]);
    await Promise.all(both);
  });

  test("a lost engine's pinned tasks fail, and its successor is another", async () => {
    const pool = await start({ workers: 2 });
    const lost = failure(pool.submit(crash, null, { ...SOON, engine: 1 }));
    const waiting = failure(pool.submit(echo, values(1), { ...SOON, engine: 1 }));
    const untouched = pool.submit(echo, values(2), { ...SOON, engine: 0 });
    const gone = { failure: 'engine_lost', status: 503 };
    expect(await lost).toMatchObject(gone);
    expect(await waiting).toMatchObject(gone);
    expect((await untouched).engine).toBe(0);
    while (pool.statuses().includes(null)) await Bun.sleep(10);
    expect(await failure(pool.submit(echo, values(1), { ...SOON, engine: 1 }))).toMatchObject(gone);
    const engines = [
      await pool.submit(sleep, { ms: 1 }, SOON),
      await pool.submit(sleep, { ms: 1 }, SOON),
    ];
    expect(engines.map(({ engine }) => engine).sort()).toEqual([0, 2]);
  });
});

describe("an engine's modules", () => {
  test('get the settings, and their figures are told together', async () => {
    const pool = await start();
    const { output } = await pool.submit(count, { ms: 60_000 }, SOON);
    expect(output).toBe(settings.featureCache.maxBytes);
    expect(pool.statuses()[0]?.figures).toEqual({ sleepers: 1, counted: 1 });
  });

  test('can tell of changes between two tasks', async () => {
    const pool = await start();
    await pool.submit(count, { ms: 20 }, SOON);
    while (pool.statuses()[0]?.figures.counted !== 2) await Bun.sleep(5);
    expect(pool.queueLength).toBe(0);
  });
});

test('a task of many parts may take longer than the watchdog, one part may not', async () => {
  const pool = await start({ watchdogMs: 1500 });
  const answer = await pool.submit(sleepInParts, { ms: 500, parts: 5 }, SOON);
  expect(answer.output).toBeNull();
  const lost = await failure(pool.submit(sleepInParts, { ms: 2500, parts: 1 }, SOON));
  expect(lost).toMatchObject({ failure: 'engine_lost', status: 503 });
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
    60_000,
  );

  test.skipIf(hasGpu)('that never starts is given up, with the reason', async () => {
    const pool = new EnginePool({
      entry,
      device: 'webgpu',
      workers: 1,
      queueCapacity: 2,
      watchdogMs: 5000,
      settings,
    });
    pools.push(pool);
    const error = await failure(pool.ready());
    expect(error).toMatchObject({ failure: 'engine_lost', status: 503 });
  });
});
