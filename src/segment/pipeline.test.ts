/** What the pipeline keeps, gives back and cuts into runs, on every backend. */
import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { devices } from '../../test/devices.ts';
import { outputOf } from '../../test/outcomes.ts';
import { countsToString } from '../media/rle.ts';
import {
  clickCases,
  conceptCases,
  iou,
  pixels,
  recording,
  source,
  task,
  tiny,
} from './parity_fixture.ts';
import { runSegment, segmentEngine } from './pipeline.ts';
import type { SegmentTask } from './task.ts';

setDefaultTimeout(400_000);

const settings = { featureCache: { maxBytes: 64 << 20, ttlMs: 0 } };
const [concept] = conceptCases;
const [click] = clickCases;

describe.each(devices)('memory on %s', (_, backend) => {
  // A software rasteriser compiles the click head alone in reasonable time.
  if (backend.info.software) console.warn('SHORTENED on software: clicks only, no capture');
  const cases = backend.info.software ? [click] : [concept, click];

  test('nothing is left but the cache, also past capture, and it goes with its age', async () => {
    let expired = 0;
    const engine = segmentEngine(
      backend,
      { featureCache: { maxBytes: 64 << 20, ttlMs: 200 } },
      { changed: () => expired++ },
    );
    const run = async (imageKey: string) =>
      outputOf((await runSegment(engine, [task(cases, { imageKey, threshold: 0 })]))[0]);
    // A software rasteriser takes minutes to capture; src/depth/parity.test.ts does it once.
    const rounds = backend.info.software ? 1 : 4;
    for (let round = 0; round < rounds; round++) await run(`image ${round}`);
    while (expired < rounds) await Bun.sleep(20);
    engine.texts.clear();
    const open = backend.memory().usedBytes;
    await run('last');
    while (expired === rounds) await Bun.sleep(20);
    engine.texts.clear();
    expect([engine.images.size, engine.images.bytes]).toEqual([0, 0]);
    expect(backend.memory().usedBytes).toBe(open);
  });

  test.each([
    ['has a damaged encoder', { encoder: source('photo.png') }],
    ['has a damaged decoder', { click: { decoder: source('photo.png') } }],
    ['has an encoder without what the head reads', { encoder: source('text-encoder.onnx') }],
  ])('a task whose model %s fails and leaves nothing', async (_name, broken) => {
    const engine = segmentEngine(backend, settings);
    const before = backend.memory().usedBytes;
    const bad = task([click], { model: { ...tiny, ...broken } });
    const [outcome] = await runSegment(engine, [bad]);
    expect(outcome).toHaveProperty('error');
    engine.images.clear();
    expect(backend.memory().usedBytes).toBe(before);
  });

  test('a task fails alone', async () => {
    const engine = segmentEngine(backend, settings);
    const bad = task([click], { size: { width: 3, height: 5 }, imageKey: 'bad' });
    const [first, second] = await runSegment(engine, [bad, task([click])]);
    expect(() => outputOf(first)).toThrow('[5,3,3]');
    expect(outputOf(second).masks).toHaveLength(1);
    engine.images.clear();
  });
});

// How prompts are cut into runs does not depend on the device.
describe.each(devices.filter(([choice]) => choice === 'cpu'))('runs on %s', (_, backend) => {
  const { backend: watched, runs } = recording(backend);
  const engine = segmentEngine(watched, settings);
  const run = async (one: SegmentTask) => {
    runs.length = 0;
    return outputOf((await runSegment(engine, [one]))[0]);
  };
  const decoded = (part: string) => runs.filter(({ file }) => file.startsWith(part));

  test('more concepts than fit into a run give what they give in one', async () => {
    const many = Array.from({ length: 19 }, (_, i) => conceptCases[i % 3]);
    const { masks } = await run(task(many, { threshold: 0.45 }));
    expect(decoded('concept').map(({ shapes }) => shapes.text_features[0])).toEqual([16, 3]);
    // Of three different texts each is encoded once.
    expect(decoded('text').map(({ shapes }) => shapes.input_ids[0])).toEqual([3]);
    const of = (number: number) => masks.filter(({ prompt }) => prompt === number);
    for (let number = 3; number < many.length; number++) {
      expect(of(number).length).toBe(of(number % 3).length);
      of(number).forEach(({ score, counts }, i) => {
        const first = of(number % 3)[i];
        expect(score).toBeCloseTo(first.score, 4);
        expect(iou(first, countsToString(counts))).toBeGreaterThanOrEqual(0.999);
      });
    }
    expect(of(0)).not.toEqual(of(1));
  });

  test('more clicks than fit into a run give what each gives alone', async () => {
    const many = Array.from({ length: 70 }, (_, i) => clickCases[i % 2]);
    const { masks } = await run(task(many));
    // Of one click, and of three.
    expect(decoded('click').map(({ shapes }) => shapes.input_points[1])).toEqual([32, 3, 32, 3]);
    masks.forEach((mask, number) => {
      expect(mask.prompt).toBe(number);
      expect(mask.score).toBeCloseTo(clickCases[number % 2].best_iou, 3);
      expect(iou(mask, clickCases[number % 2].rle)).toBeGreaterThanOrEqual(0.999);
    });
  });

  test('a text that comes again is not encoded again', async () => {
    await run(task([concept], { imageKey: 'one' }));
    const other = pixels().map((value) => 255 - value);
    await run(task([concept], { imageKey: 'two', pixels: other }));
    expect(decoded('vision')).toHaveLength(1);
    expect(decoded('text')).toHaveLength(0);
  });

  test('an encoder keeps what the heads read, and no more', async () => {
    const { concept: _concept, ...rest } = tiny;
    const clicksOnly = segmentEngine(watched, settings);
    runs.length = 0;
    const one = task([click], { model: { ...rest, concept: null } });
    outputOf((await runSegment(clicksOnly, [one]))[0]);
    expect(Object.keys(decoded('vision')[0].outputs)).toEqual([
      'image_embeddings.0',
      'image_embeddings.1',
      'image_embeddings.2',
    ]);
  });

  test('the threshold holds for clicks too, and 1 leaves nothing', async () => {
    const above = { threshold: click.best_iou - 0.01 };
    expect((await run(task([click], above))).masks).toHaveLength(1);
    const below = { threshold: click.best_iou + 0.01 };
    expect((await run(task([click], below))).masks).toHaveLength(0);
    expect((await run(task([concept], { threshold: 1 }))).masks).toHaveLength(0);
    expect((await run(task([], { threshold: 0 }))).masks).toEqual([]);
  });
});
