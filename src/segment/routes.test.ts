import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { type TestServer, testServer } from '../../test/server.ts';
import { boxOf, countsFromString, decodeRle } from '../media/rle.ts';
import type { CachedFeaturesAnswer, SegmentAnswer } from './schema.ts';

/** A tiny SAM 3 with random weights, and what transformers makes of its picture. */
const FIXTURE = join(import.meta.dir, '../../test/fixtures/segment-parity');
const { cases } = (await Bun.file(join(FIXTURE, 'manifest.json')).json()) as { cases: Case[] };

interface Case {
  readonly name: string;
  readonly threshold: number;
  readonly scores: number[];
  readonly rle_logits: string[];
  readonly best_iou: number;
  readonly rle: string;
}

const SEGMENT = '/api/v1/image/segment';
const CACHED = '/api/v1/image/cached-features';
const WIDTH = 149;
const HEIGHT = 107;

let server: TestServer;
let file: Buffer<ArrayBuffer>;
let image: string;

beforeAll(async () => {
  server = await testServer({ sam3Checkpoint: FIXTURE });
  file = Buffer.from(await Bun.file(join(FIXTURE, 'photo.png')).arrayBuffer());
  image = file.toString('base64');
});
afterAll(() => server.close());

async function segment(fields: object): Promise<SegmentAnswer> {
  const response = await server.post(SEGMENT, { image, ...fields });
  expect({ status: response.status, text: response.ok ? '' : await response.text() }).toEqual({
    status: 200,
    text: '',
  });
  return (await response.json()) as SegmentAnswer;
}

async function cached(fields: object): Promise<CachedFeaturesAnswer> {
  const response = await server.post(CACHED, { image, ...fields });
  expect(response.status).toBe(200);
  return (await response.json()) as CachedFeaturesAnswer;
}

/** A picture of its own, so that its features are not there. */
async function freshImage(shade: number): Promise<string> {
  const create = {
    width: 20,
    height: 10,
    channels: 3 as const,
    background: { r: shade, g: 1, b: 2 },
  };
  return (await sharp({ create }).png().toBuffer()).toString('base64');
}

const named = (name: string) => cases.find((one) => one.name === name) as Case;
const pixels = (rle: unknown) => decodeRle(rle as string, HEIGHT, WIDTH);

function iou(a: unknown, b: unknown): number {
  const [one, other] = [pixels(a), pixels(b)];
  let both = 0;
  let either = 0;
  for (let i = 0; i < one.length; i++) {
    both += one[i] & other[i];
    either += one[i] | other[i];
  }
  return both / either;
}

/** Sums are made in another order for several prompts at once. */
function expectSame(masks: readonly unknown[], others: readonly unknown[]): void {
  expect(masks).toHaveLength(others.length);
  for (const [i, mask] of masks.entries()) expect(iou(mask, others[i])).toBeGreaterThan(0.999);
}

const TEXT = { type: 'text', text: 'a red ball' };
const BOX = { type: 'box', box: [0.55, 0.5, 0.5, 0.62], label: true };
const POINT = { type: 'point', points: [[0.41, 0.55]], point_labels: [1] };

describe("the document's example", () => {
  test('of /segment answers with the documented fields, and ours', async () => {
    const answer = await segment({
      prompts: [
        { type: 'text', text: 'person wearing red shirt' },
        { type: 'box', box: [0.2, 0.3, 0.4, 0.5], label: true },
        {
          type: 'point',
          points: [
            [0.3, 0.4],
            [0.6, 0.7],
          ],
          point_labels: [1, 1],
        },
      ],
      confidence_threshold: 0.5,
      return_visualization: false,
    });
    const count = answer.num_masks;
    expect(answer).toEqual({
      masks: expect.any(Array),
      boxes: expect.any(Array),
      scores: expect.any(Array),
      num_masks: answer.masks.length,
      prompt_indices: expect.any(Array),
      image_size: { width: WIDTH, height: HEIGHT },
      visualization_url: null,
      cache_hit: expect.any(Boolean),
      model: 'sam3-checkpoint',
      model_exact: true,
      inference_time_ms: expect.any(Number),
    });
    for (const list of [answer.masks, answer.boxes, answer.scores, answer.prompt_indices]) {
      expect(list).toHaveLength(count);
    }
    for (const score of answer.scores) expect(score).toBeWithin(0.5, 1.0001);
  });

  test('of /cached-features too', async () => {
    const texts = ['person', 'car', 'tree'];
    const answer = await cached({ text_prompts: texts, confidence_threshold: 0.5 });
    expect(answer.results.map(({ prompt }) => prompt)).toEqual(texts);
    for (const result of answer.results) {
      expect(result.num_masks).toBe(result.masks.length);
      expect(result.boxes).toHaveLength(result.num_masks);
      expect(result.scores).toHaveLength(result.num_masks);
    }
    expect(answer).toMatchObject({
      cache_hit: expect.any(Boolean),
      inference_time_ms: expect.any(Number),
      model: 'sam3-checkpoint',
    });
  });
});

describe("masks and scores are transformers'", () => {
  const concepts: [string, object[]][] = [
    ['text', [TEXT]],
    [
      'text-boxes',
      [
        { type: 'TEXT', text: 'dark tree' },
        { box: [0.3, 0.4, 0.25, 0.3] },
        { box: [0.75, 0.7, 0.35, 0.4], label: false },
      ],
    ],
    ['boxes', [BOX]],
  ];
  test.each(concepts)('concept: %s', async (name, prompts) => {
    const { threshold, scores, rle_logits } = named(name);
    const answer = await segment({ prompts, confidence_threshold: threshold });
    const order = scores.map((_, i) => i).sort((a, b) => scores[b] - scores[a]);
    expect(answer.num_masks).toBe(scores.length);
    order.forEach((wanted, i) => {
      expect(answer.scores[i]).toBeCloseTo(scores[wanted], 3);
      expect(iou(answer.masks[i], rle_logits[wanted])).toBeGreaterThan(0.99);
    });
    // The control: another mask is another.
    expect(iou(answer.masks[0], rle_logits[order[1]])).toBeLessThan(0.99);
  });

  const clicks: [string, object, object][] = [
    ['click', POINT, {}],
    [
      'clicks',
      {
        points: [
          [0.3, 0.4],
          [0.62, 0.5],
          [0.8, 0.2],
        ],
        point_labels: [1, 1, 0],
      },
      {},
    ],
    ['box', { box: [0.45, 0.55, 0.4, 0.5] }, { mode: 'instance' }],
    ['box-click', { box: [0.6, 0.45, 0.5, 0.6], points: [[0.7, 0.35]], point_labels: [0] }, {}],
  ];
  test.each(clicks)('object: %s', async (name, prompt, fields) => {
    const { rle } = named(name);
    const answer = await segment({ prompts: [prompt], confidence_threshold: 0, ...fields });
    expect(answer.num_masks).toBe(1);
    expect(iou(answer.masks[0], rle)).toBeGreaterThan(0.99);
  });
});

describe('several prompts', () => {
  test('are answered in their order, each as if alone', async () => {
    const fields = { confidence_threshold: 0.6 };
    const prompts = [POINT, TEXT, { ...POINT, points: [[0.8, 0.2]] }];
    const together = await segment({ prompts, ...fields });
    const alone = [];
    for (const prompt of prompts) alone.push(await segment({ prompts: [prompt], ...fields }));
    expectSame(
      together.masks,
      alone.flatMap(({ masks }) => masks),
    );
    expect(together.prompt_indices).toEqual(
      alone.flatMap(({ masks }, index) => masks.map(() => index)),
    );
  });

  test('of boxes alone are one concept, or objects in mode "instance"', async () => {
    const prompts = [{ ...BOX, label: false, box: [0.1, 0.1, 0.1, 0.1] }, BOX, BOX];
    const concept = await segment({ prompts, confidence_threshold: 0.3 });
    expect(concept.num_masks).toBeGreaterThan(2);
    expect(new Set(concept.prompt_indices)).toEqual(new Set([1]));
    const objects = await segment({
      prompts: prompts.slice(1),
      mode: 'instance',
      confidence_threshold: 0,
    });
    expect(objects.prompt_indices).toEqual([0, 1]);
  });

  test('of one text are the same at both routes', async () => {
    const one = await segment({ prompts: [TEXT] });
    const { results } = await cached({ text_prompts: ['nothing', 'a red ball'] });
    expectSame(results[1].masks, one.masks);
    for (const [i, score] of one.scores.entries()) {
      expect(results[1].scores[i]).toBeCloseTo(score, 5);
    }
  });
});

test('the threshold is honoured, and the server has its own', async () => {
  const counts = [];
  const { threshold, scores } = named('text');
  for (const confidence_threshold of [0, 0.5, threshold, 1]) {
    const answer = await segment({ prompts: [TEXT], confidence_threshold });
    for (const score of answer.scores) expect(score).toBeGreaterThanOrEqual(confidence_threshold);
    counts.push(answer.num_masks);
  }
  expect(counts).toEqual([12, expect.any(Number), scores.length, 0]);
  expect((await segment({ prompts: [TEXT] })).num_masks).toBe(counts[1]);
});

describe('the forms of a mask', () => {
  const ask = (mask_format: string) => segment({ prompts: [POINT], mask_format });

  test('are all of the same mask, whose box is the answer’s', async () => {
    const { masks, boxes } = await ask('rle');
    const counts = masks[0] as string;
    expect((await ask('rle_object')).masks).toEqual([{ size: [HEIGHT, WIDTH], counts }]);
    const { x, y, width, height } = boxOf(countsFromString(counts), HEIGHT);
    expect(boxes[0]).toEqual([
      (x + width / 2) / WIDTH,
      (y + height / 2) / HEIGHT,
      width / WIDTH,
      height / HEIGHT,
    ]);
    const png = Buffer.from((await ask('png')).masks[0] as string, 'base64');
    expect(await sharp(png).metadata()).toMatchObject({
      width: WIDTH,
      height: HEIGHT,
      channels: 1,
    });
    const data = await sharp(png).toColourspace('b-w').raw().toBuffer();
    expect(new Uint8Array(data)).toEqual(pixels(counts).map((inside) => 255 * inside));
    const polygons = (await ask('polygons')).masks[0] as number[][];
    expect(polygons.length).toBeGreaterThan(0);
    const xs = polygons.flatMap((flat) => flat.filter((_, i) => i % 2 === 0));
    expect([Math.min(...xs), Math.max(...xs)]).toEqual([x, x + width]);
  });
});

describe('the picture', () => {
  test('is served under its URL, drawn over, and nowhere else', async () => {
    const { visualization_url: url } = await segment({
      prompts: [TEXT],
      return_visualization: true,
    });
    expect(url).toStartWith('http://localhost/api/v1/image/visualization/');
    const response = await server.handle(new Request(url as string));
    expect(response.headers.get('content-type')).toBe('image/png');
    const drawn = await sharp(await response.bytes())
      .raw()
      .toBuffer();
    const original = await sharp(file).removeAlpha().raw().toBuffer();
    expect(drawn).toHaveLength(original.length);
    expect(drawn.equals(original)).toBe(false);
    const other = await server.handle(new Request(`${(url as string).slice(0, -6)}AA.png`));
    expect(other.status).toBe(404);
    expect(await other.json()).toEqual({ detail: expect.stringContaining('again') });
  });

  test('is the answer itself with Accept: image/png', async () => {
    const response = await server.post(
      SEGMENT,
      { image, prompts: [TEXT] },
      { accept: 'image/png' },
    );
    expect(response.headers.get('content-type')).toBe('image/png');
    expect(Number(response.headers.get('x-num-masks'))).toBeGreaterThan(0);
    expect(response.headers.get('x-model')).toBe('sam3-checkpoint');
    const { width, height } = await sharp(await response.bytes()).metadata();
    expect([width, height]).toEqual([WIDTH, HEIGHT]);
  });
});

describe('cached features', () => {
  test('are those of the pixels, however they are sent, at both routes', async () => {
    const fresh = await freshImage(40);
    expect((await cached({ image: fresh, text_prompts: ['a'] })).cache_hit).toBe(false);
    expect((await cached({ image: fresh, text_prompts: ['b'] })).cache_hit).toBe(true);
    const webp = await sharp(Buffer.from(fresh, 'base64')).webp({ lossless: true }).toBuffer();
    const url = `data:image/webp;base64,${webp.toString('base64')}`;
    expect((await segment({ image: url, prompts: [POINT] })).cache_hit).toBe(true);
    expect((await segment({ image: await freshImage(41), prompts: [POINT] })).cache_hit).toBe(
      false,
    );
  });

  test('of two pictures with the same bytes and other sides are two', async () => {
    const create = { channels: 3 as const, background: 'teal' };
    const wide = await sharp({ create: { ...create, width: 20, height: 10 } })
      .png()
      .toBuffer();
    const high = await sharp({ create: { ...create, width: 10, height: 20 } })
      .png()
      .toBuffer();
    await segment({ image: wide.toString('base64'), prompts: [POINT] });
    const answer = await segment({ image: high.toString('base64'), prompts: [POINT] });
    expect(answer.cache_hit).toBe(false);
  });

  test('change nothing in the answer', async () => {
    const fresh = await freshImage(90);
    const first = await segment({ image: fresh, prompts: [TEXT, POINT], confidence_threshold: 0 });
    const second = await segment({ image: fresh, prompts: [TEXT, POINT], confidence_threshold: 0 });
    expect([first.cache_hit, second.cache_hit]).toEqual([false, true]);
    expect(second.masks).toEqual(first.masks);
  });
});

test('a form is as good as JSON', async () => {
  const form = new FormData();
  form.set('image', new Blob([file]), 'photo.png');
  form.set('prompts', JSON.stringify([TEXT]));
  form.set('confidence_threshold', '0.7');
  const request = new Request(`http://localhost${SEGMENT}`, { method: 'POST', body: form });
  const answer = (await (await server.handle(request)).json()) as SegmentAnswer;
  const json = await segment({ prompts: [TEXT], confidence_threshold: 0.7 });
  expect(answer.masks).toEqual(json.masks);
});

test('nulls are as good as absence', async () => {
  const nothing = { points: null, point_labels: null, box: null, label: null };
  const answer = await segment({
    prompts: [{ ...TEXT, ...nothing }],
    image_url: null,
    model: null,
  });
  expect(answer.masks).toEqual((await segment({ prompts: [TEXT] })).masks);
});

test('Server-Timing has every stage', async () => {
  const fresh = await freshImage(7);
  // A text of its own too: features of texts are kept as well.
  const prompts = [{ text: 'a stopwatch' }, POINT];
  const response = await server.post(SEGMENT, { image: fresh, prompts });
  const timing = response.headers.get('server-timing') ?? '';
  const stages = ['read', 'hash', 'queue', 'preprocess', 'encode', 'text', 'decode', 'masks'];
  for (const stage of [...stages, 'respond']) {
    expect(timing).toMatch(new RegExp(`\\b${stage};dur=\\d+\\.\\d\\d`));
  }
});

const EMBEDDED = join(import.meta.dir, '../../models/embedded/segment-mini/vision-encoder.onnx');
const hasEmbedded = existsSync(EMBEDDED);
if (!hasEmbedded) console.warn(`SKIPPED the embedded model's answer: ${EMBEDDED} is not there`);

test.skipIf(!hasEmbedded)(
  'without any other model the embedded one answers, and says so',
  async () => {
    const bare = await testServer();
    const response = await bare.post(SEGMENT, { image, prompts: [TEXT, BOX, POINT] });
    expect(response.status).toBe(200);
    const answer = (await response.json()) as SegmentAnswer;
    expect(answer).toMatchObject({ model: 'segment-mini', model_exact: false });
    const info = await bare.handle(new Request('http://localhost/models/info'));
    expect(await info.json()).toMatchObject({
      image_model: { loaded: true, concept_model: 'segment-mini', click_model: 'segment-mini' },
      models: { segment: [expect.objectContaining({ id: 'segment-mini', origin: 'embedded' })] },
    });
    bare.close();
  },
);
