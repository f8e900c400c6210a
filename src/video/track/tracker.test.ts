/** What the tracker promises beside the masks: objects, bounded memory, errors. */
import { afterAll, afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { devices, isShortened } from '../../../test/devices.ts';
import { countsFromMask } from '../../media/rle_pixels.ts';
import { OpenModels } from '../../models/open_models.ts';
import type { TrackedObject } from './answer.ts';
import { type FoundInstance, joinDetections } from './join_detections.ts';
import { clipFrames, clipSize, frameOf, openTiny } from './parity_fixture.ts';
import { Tracker, type TrackerOptions } from './tracker.ts';

// A software rasteriser compiles attention graphs in tens of seconds on a busy machine.
setDefaultTimeout(180_000);

const { model, remove } = await openTiny();
afterAll(remove);

const click = (x: number, y: number, label: 0 | 1 = 1) => ({
  points: [[x, y] as const],
  labels: [label],
  box: null,
});

describe.each(devices)('a tracker on %s', (_, backend) => {
  const models = new OpenModels(backend);
  const opened: Tracker[] = [];
  // A frame takes seconds on a software rasteriser: parity.test.ts has the graphs run there.
  const shortened = isShortened(backend);
  if (shortened)
    console.warn('SHORTENED: on a software adapter objects are followed for few frames');
  afterEach(() => {
    for (const tracker of opened.splice(0)) tracker.dispose();
  });

  function open(options: Partial<TrackerOptions> = {}): Tracker {
    const tracker = new Tracker(backend, models, model, { frames: clipFrames, ...options });
    opened.push(tracker);
    return tracker;
  }

  test('gives ids from 1, does not give them again, and forgets what is removed', async () => {
    const tracker = open();
    const first = await tracker.addPrompt(0, frameOf(0), click(0.16, 0.32));
    const second = await tracker.addPrompt(0, frameOf(0), click(0.8, 0.7));
    expect([first.id, second.id]).toEqual([1, 2]);
    expect((await tracker.step(1, frameOf(1), 1)).map(({ id }) => id)).toEqual([1, 2]);
    expect(tracker.removeObject(1)).toBe(true);
    expect(tracker.removeObject(1)).toBe(false);
    expect((await tracker.step(1, frameOf(1), 1)).map(({ id }) => id)).toEqual([2]);
    expect((await tracker.addPrompt(1, frameOf(1), click(0.3, 0.3))).id).toBe(3);
    tracker.reset();
    expect(tracker.ids).toEqual([]);
    expect(await tracker.step(1, frameOf(1), 1)).toEqual([]);
    expect((await tracker.addPrompt(1, frameOf(1), click(0.3, 0.3))).id).toBe(4);
  });

  test.skipIf(shortened)(
    'an object is the same whether others are followed with it or not',
    async () => {
      const [alone, together] = [open(), open()];
      for (const tracker of [alone, together]) {
        await tracker.addPrompt(0, frameOf(0), click(0.16, 0.32));
      }
      for (const [x, y] of [
        [0.8, 0.7],
        [0.5, 0.5],
      ]) {
        await together.addPrompt(0, frameOf(0), click(x, y));
      }
      for (let frame = 1; frame < 5; frame++) {
        const [expected] = await alone.step(frame, frameOf(frame), 1);
        const [found] = await together.step(frame, frameOf(frame), 1);
        expect(found.objectScore).toBeCloseTo(expected.objectScore, 3);
        expect(Math.abs(found.area - expected.area)).toBeLessThan(0.005 * clipSize.width ** 2);
      }
    },
  );

  test.skipIf(shortened)(
    'a frame that was prompted comes back as it was, in either direction',
    async () => {
      const tracker = open();
      const prompted = await tracker.addPrompt(3, frameOf(3), click(0.3, 0.4));
      expect(await tracker.step(3, frameOf(3), 1)).toEqual([prompted]);
      await tracker.step(4, frameOf(4), 1);
      expect(await tracker.step(3, frameOf(3), -1)).toEqual([prompted]);
    },
  );

  test.skipIf(shortened)('an absent object has no pixels and no score', async () => {
    const tracker = open({ selectMemory: false });
    await tracker.addPrompt(0, frameOf(0), click(0.1587, 0.3175));
    let absent = 0;
    for (let frame = 1; frame < clipFrames; frame++) {
      const [found] = await tracker.step(frame, frameOf(frame), 1);
      expect(found.present).toBe(found.objectScore > 0);
      if (found.present) continue;
      absent++;
      expect(found).toMatchObject({ area: 0, score: 0 });
      expect([...found.counts]).toEqual([clipSize.width * clipSize.height]);
    }
    expect(absent).toBeGreaterThan(0);
  });

  test.skipIf(shortened)('any frame may be followed or prompted next', async () => {
    const tracker = open({ selectMemory: false });
    await tracker.addPrompt(0, frameOf(0), click(0.16, 0.32));
    for (let frame = 0; frame < clipFrames; frame++) await tracker.step(frame, frameOf(frame), 1);
    const held = tracker.bytes;
    for (const [frame, direction] of [
      [7, 1],
      [3, -1],
      [11, -1],
      [1, 1],
    ] as const) {
      expect((await tracker.step(frame, frameOf(frame), direction)).length).toBe(1);
      expect(tracker.bytes).toBeLessThanOrEqual(held);
    }
    for (const frame of [8, 4, 2]) {
      const found = await tracker.addPrompt(frame, frameOf(frame), click(0.5, 0.5), 1);
      expect(Number.isFinite(found.objectScore)).toBe(true);
    }
  });

  test.skipIf(shortened)(
    'what was confirmed guides the tracking, and no prompt gives way',
    async () => {
      const { width, height } = clipSize;
      const part = (from: number, to: number) => {
        const data = Uint8Array.from({ length: width * height }, (_, i) =>
          Number(i % width >= from * width && i % width < to * width),
        );
        return { data, width, height };
      };
      const [plain, confirmed] = [open(), open()];
      const scores = async (frame: number) => {
        const trackers = [plain, confirmed];
        const found = trackers.map((tracker) => tracker.step(frame, frameOf(frame), 1));
        return (await Promise.all(found)).map(([{ objectScore }]) => objectScore);
      };
      for (const tracker of [plain, confirmed]) {
        await tracker.addPrompt(0, frameOf(0), click(0.16, 0.32));
      }
      const [prompted] = await plain.step(0, frameOf(0), 1);
      await confirmed.confirm(0, frameOf(0), part(0.5, 1), 1);
      expect(await confirmed.step(0, frameOf(0), 1)).toEqual([prompted]);
      await scores(1);
      await confirmed.confirm(5, frameOf(5), part(0.5, 1), 1);
      const [without, guided] = await scores(2);
      expect(Math.abs(guided - without)).toBeGreaterThan(1e-3);
      for (const tracker of [plain, confirmed]) {
        const corrected = await tracker.addPrompt(2, frameOf(2), { mask: part(0, 0.4) }, 1);
        expect(await tracker.step(2, frameOf(2), 1)).toEqual([corrected]);
      }
      const [expected, after] = await scores(3);
      expect(after).toBeCloseTo(expected, 3);
      await expect(confirmed.confirm(99, frameOf(0), part(0, 1), 1)).rejects.toThrow('frame 99');
      await expect(confirmed.confirm(1, frameOf(1), part(0, 1), 7)).rejects.toThrow('no object 7');
    },
  );

  // SwiftShader would need minutes to come so far that nothing is added any more.
  test.skipIf(backend.info.software)(
    'a long clip takes no more memory than a short one',
    async () => {
      // What was seen well is remembered, and few frames of this clip are: by 200 there are enough.
      const [early, full, late] = [100, 200, 1000];
      const before = backend.memory().usedBytes;
      const tracker = open({ frames: null });
      await tracker.addPrompt(0, frameOf(0), click(0.16, 0.32));
      await tracker.addPrompt(0, frameOf(0), click(0.8, 0.7));
      const used: Record<number, { device: number; tracker: number }> = {};
      for (let frame = 0; frame <= late; frame++) {
        await tracker.step(frame, frameOf(frame % clipFrames), 1);
        used[frame] = { device: backend.memory().usedBytes, tracker: tracker.bytes };
      }
      expect(used[late].device).toBeLessThan(1.05 * used[early].device);
      expect(used[late].tracker).toBe(used[full].tracker);
      expect(used[late].tracker).toBeLessThan(1.05 * used[early].tracker);
      // Control: memories do pile up at first.
      expect(used[6].tracker).toBeGreaterThan(used[1].tracker);
      tracker.dispose();
      expect(tracker.bytes).toBe(0);
      // What captured graphs own stays with the models.
      if (backend.info.kind === 'cpu') expect(backend.memory().usedBytes).toBe(before);
    },
  );

  test.skipIf(shortened)('what is wrong is refused and leaves nothing behind', async () => {
    const tracker = open();
    await tracker.addPrompt(0, frameOf(0), click(0.16, 0.32));
    const held = tracker.bytes;
    const used = backend.memory().usedBytes;
    const refused = async (attempt: Promise<unknown>, message: string) => {
      await expect(attempt).rejects.toThrow(message);
      expect(tracker.ids).toEqual([1]);
      expect(tracker.bytes).toBe(held);
    };
    const some = click(0.5, 0.5);
    await refused(tracker.addPrompt(clipFrames, frameOf(0), some), 'frame 12; expected');
    await refused(tracker.addPrompt(-1, frameOf(0), some), 'from 0 to 11');
    await refused(tracker.addPrompt(0.5, frameOf(0), some), 'whole number');
    await refused(tracker.step(99, frameOf(0), 1), 'frame 99');
    await refused(tracker.addPrompt(0, frameOf(0), some, 7), 'no object 7; there are 1');
    const empty = { points: [], labels: [], box: null };
    await refused(tracker.addPrompt(0, frameOf(0), empty), 'at least a point or a box');
    const { width, height } = clipSize;
    const mask = (pixels: number) => ({ mask: { data: new Uint8Array(pixels), width, height } });
    await refused(tracker.addPrompt(0, frameOf(0), mask(width * height)), 'mask is empty');
    await refused(tracker.addPrompt(0, frameOf(0), mask(3)), 'a mask of 3 pixels');
    expect(backend.memory().usedBytes).toBe(used);
  });

  // WGSL may compute as if there were no NaN: SwiftShader answers with numbers.
  test.skipIf(backend.info.kind !== 'cpu')(
    'a graph that gives no numbers fails the call, and the next one is right',
    async () => {
      const tracker = open();
      await tracker.addPrompt(0, frameOf(0), click(0.16, 0.32));
      const nowhere = click(Number.NaN, 0.5);
      await expect(tracker.addPrompt(1, frameOf(1), nowhere)).rejects.toThrow('not finite');
      expect(tracker.ids).toEqual([1]);
      expect((await tracker.step(1, frameOf(1), 1)).length).toBe(1);
    },
  );

  test.skipIf(shortened)(
    'an instance that a text finds beside the tracked objects becomes an object',
    async () => {
      const tracker = open();
      const { width, height } = clipSize;
      const square = (left: number) => {
        const mask = Uint8Array.from({ length: width * height }, (_, i) => {
          const [x, y] = [i % width, Math.floor(i / width)];
          return Number(x >= left && x < left + 30 && y >= 40 && y < 80);
        });
        return { prompt: 0, score: 0.9, counts: countsFromMask(mask, height, width) };
      };
      const texts = new Map<number, number>();
      const join = (found: FoundInstance[], tracked: TrackedObject[], room = 9) =>
        joinDetections(tracker, 0, frameOf(0), found, tracked, texts, room);
      const first = await join([square(10), { ...square(70), score: 0.6 }], []);
      expect(first.started.map(({ id }) => id)).toEqual([1]);
      expect(first.started[0].area).toBeGreaterThan(0.9 * 30 * 40);
      expect(first.started[0].area).toBeLessThan(1.1 * 30 * 40);
      const both = [square(12), square(70)];
      const full = await join(both, await tracker.step(0, frameOf(0), 1), 0);
      expect(full.started).toEqual([]);
      expect(full.association.matches.map(({ id }) => id)).toEqual([1]);
      const again = await join(both, await tracker.step(0, frameOf(0), 1));
      expect(again.association.matches.map(({ id, detection }) => [id, detection])).toEqual([
        [1, 0],
      ]);
      expect(again.started.map(({ id }) => id)).toEqual([2]);
      expect([...texts]).toEqual([
        [1, 0],
        [2, 0],
      ]);
      expect((await tracker.step(1, frameOf(1), 1)).map(({ id }) => id)).toEqual([1, 2]);
    },
  );
});
