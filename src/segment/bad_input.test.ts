/** Each bad input gets its 4xx or 503 and a detail that names the field; then a good one works. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { detailOf, type TestServer, testServer } from '../../test/server.ts';
import { createApp } from '../app.ts';
import { readConfig } from '../config.ts';
import { CATALOGUE } from '../models/catalogue.ts';
import { openStore } from '../models/store.ts';
import { createServer } from '../server.ts';
import type { CachedFeaturesAnswer, SegmentAnswer } from './schema.ts';

const FIXTURE = join(import.meta.dir, '../../test/fixtures/segment-parity');
const SEGMENT = '/api/v1/image/segment';
const CACHED = '/api/v1/image/cached-features';
const POINT = { type: 'point', points: [[0.5, 0.5]], point_labels: [1] };

let server: TestServer;
let image: string;

beforeAll(async () => {
  server = await testServer({ sam3Checkpoint: FIXTURE, maxImageMegapixels: '2' });
  image = await picture(40, 30);
});
afterAll(() => server.close());

async function picture(width: number, height: number): Promise<string> {
  const create = { width, height, channels: 3 as const, background: '#a05030' };
  return (await sharp({ create }).png().toBuffer()).toString('base64');
}

async function refuses(path: string, body: unknown, status: number, ...words: string[]) {
  const response = await server.post(path, body);
  const answer = (await response.json()) as { detail: string };
  expect({ status: response.status, answer }).toEqual({
    status,
    answer: { detail: expect.any(String) },
  });
  for (const word of words) expect(answer.detail).toContain(word);
  const next = await server.post(SEGMENT, { image, prompts: [POINT] });
  expect(next.status).toBe(200);
}

const words = (count: number) => Array.from({ length: count }, (_, i) => `word${i}`).join(' ');
const prompt = (fields: object) => ({ image, prompts: [fields] });

describe('prompts', () => {
  test.each<[string, unknown, string]>([
    ['absent', undefined, 'prompts: required'],
    ['null', null, 'prompts: required'],
    ['none', [], 'prompts'],
    ['no list', 'a cat', 'prompts: expected a list, given "a cat"'],
    ['an object', POINT, 'prompts: expected a list'],
    ['a text of a million letters', 'x'.repeat(1e6), 'prompts: expected a list, given "xxx'],
    ['a list of something else', ['a cat'], 'prompts.0: expected an object, given "a cat"'],
    ['a list of numbers', [7], 'prompts.0: expected an object, given 7'],
    ['1,000', new Array(1000).fill(POINT), '1000'],
    ['a million', new Array(1_000_000).fill(0), '1000000'],
  ])('that are %s', (_, prompts, word) => refuses(SEGMENT, { image, prompts }, 422, word));

  test.each<[string, object, ...string[]]>([
    ['says nothing', {}, 'prompts.0', 'text, box or points'],
    ['is of an unknown type', { type: 'circle' }, 'prompts.0.type', 'text, box, point'],
    ['is a text without text', { type: 'text' }, 'prompts.0.text'],
    ['is an empty text', { text: '' }, 'prompts.0.text'],
    ['is a blank text', { text: ' \t' }, 'prompts.0.text'],
    ['is 10,000 words', { text: words(10_000) }, 'prompts.0.text', '256'],
    ['is a number', { text: 7 }, 'prompts.0.text', 'string'],
    ['is a box of 3 numbers', { box: [0.1, 0.2, 0.3] }, 'prompts.0.box', '4'],
    ['is a box of 5 numbers', { box: [0.1, 0.2, 0.3, 0.4, 0.5] }, 'prompts.0.box', '4'],
    ['is a box in pixels', { box: [10, 20, 200, 100] }, 'prompts.0.box', 'not pixels'],
    ['is a box below 0', { box: [-0.1, 0.5, 0.2, 0.2] }, 'prompts.0.box'],
    ['is a box without width', { box: [0.5, 0.5, 0, 0.2] }, 'prompts.0.box', 'above 0'],
    ['is a box without height', { box: [0.5, 0.5, 0.2, 0] }, 'prompts.0.box', 'above 0'],
    ['is a box of words', { box: ['a', 'b', 'c', 'd'] }, 'prompts.0.box'],
    ['has a label that is no boolean', { box: [0.5, 0.5, 1, 1], label: 'yes' }, 'prompts.0.label'],
    ['shows only what is not meant', { box: [0.5, 0.5, 1, 1], label: false }, 'prompts.0.label'],
    ['has no points', { points: [], point_labels: [] }, 'prompts.0.points'],
    ['has points that are no list', { points: 'x'.repeat(1e6) }, 'prompts.0.points: expected a li'],
    ['says how long it is', { points: { length: 1e9 } }, 'prompts.0.points: expected a list'],
    [
      'has a point that is no list',
      { points: [{ length: 1e9 }] },
      'prompts.0.points.0: expected a',
    ],
    ['has a point of 1e6 numbers', { points: [new Array(1e6).fill(0)] }, 'prompts.0.points.0: ex'],
    ['has a point of 3 numbers', { points: [[0.1, 0.2, 0.3]] }, 'prompts.0.points'],
    ['has a point outside', { points: [[0.5, 1.5]], point_labels: [1] }, 'prompts.0.points.0.1'],
    [
      'has too few labels',
      {
        points: [
          [0, 0],
          [1, 1],
        ],
        point_labels: [1],
      },
      'point_labels',
      '1',
    ],
    ['has too many labels', { points: [[0, 0]], point_labels: [1, 0] }, 'point_labels', '2'],
    ['has a label of 2', { points: [[0, 0]], point_labels: [2] }, 'prompts.0.point_labels.0'],
    ['has a label of −1', { points: [[0, 0]], point_labels: [-1] }, 'prompts.0.point_labels.0'],
    ['has a label of 0.5', { points: [[0, 0]], point_labels: [0.5] }, 'prompts.0.point_labels.0'],
    ['is all outside', { points: [[0, 0]], point_labels: [0] }, 'prompts.0.point_labels'],
    ['mixes a text and a box', { text: 'a', box: [0.5, 0.5, 1, 1], type: 'text' }, '.box'],
  ])('one that %s', (_, fields, ...named) => refuses(SEGMENT, prompt(fields), 422, ...named));

  test('one bad among good is named', () =>
    refuses(
      SEGMENT,
      { image, prompts: [POINT, POINT, { box: [0.5, 0.5, 0, 1] }] },
      422,
      'prompts.2.box',
    ));

  test('infinite numbers', () =>
    refuses(SEGMENT, `{"image":"${image}","prompts":[{"box":[0.5,0.5,1e999,1]}]}`, 422, 'box'));
});

describe('text_prompts', () => {
  test.each<[string, unknown, string]>([
    ['absent', undefined, 'text_prompts: expected array'],
    ['none', [], 'text_prompts'],
    ['1,000', new Array(1000).fill('a'), '1000'],
    ['empty', ['a', ''], 'text_prompts.1'],
    ['blank', ['a', '  '], 'text_prompts.1'],
    ['10,000 words', [words(10_000)], 'text_prompts.0'],
    ['numbers', [1], 'text_prompts.0'],
  ])('that are %s', (_, text_prompts, word) => refuses(CACHED, { image, text_prompts }, 422, word));
});

describe('other fields', () => {
  test.each<[string, object, string]>([
    ['a threshold above 1', { confidence_threshold: 1.5 }, 'confidence_threshold'],
    ['a threshold below 0', { confidence_threshold: -0.1 }, 'confidence_threshold'],
    ['a threshold in words', { confidence_threshold: 'high' }, 'confidence_threshold'],
    ['an unknown mask_format', { mask_format: 'svg' }, 'mask_format'],
    ['an unknown mode', { mode: 'fast' }, 'mode'],
    ['an unknown model', { model: 'sam-99' }, 'model'],
    ['a path for a model', { model: '../../etc/passwd' }, 'model'],
    ['a visualization that is no boolean', { return_visualization: 'please' }, 'return_visual'],
  ])('%s', (_, fields, word) =>
    refuses(SEGMENT, { image, prompts: [POINT], ...fields }, 422, word),
  );

  test('another form of answer', async () => {
    const body = { image, text_prompts: ['a'] };
    const response = await server.post(CACHED, body, { accept: 'image/png' });
    expect(response.status).toBe(406);
  });
});

test('more masks than an answer holds are refused, and few texts of as low a threshold are not', async () => {
  const texts = Array.from({ length: 64 }, (_, i) => `word ${i}`);
  const body = { image, text_prompts: texts, confidence_threshold: 0, model: 'segment-mini' };
  await refuses(CACHED, body, 422, 'confidence_threshold', '1024');
  const few = await server.post(CACHED, { ...body, text_prompts: texts.slice(0, 2) });
  expect(few.status).toBe(200);
});

describe('the image', () => {
  test.each<[string, unknown, string]>([
    ['is absent', undefined, 'image'],
    ['is no image', Buffer.from('hello').toString('base64'), 'JPEG'],
    ['is an address inside', 'http://127.0.0.1/a.png', 'public'],
  ])('%s', (_, given, word) => refuses(SEGMENT, { image: given, prompts: [POINT] }, 422, word));

  test('is a bomb', async () =>
    refuses(SEGMENT, { image: await picture(3000, 3000), prompts: [POINT] }, 422, '9000000'));

  test('is of awkward size', async () => {
    for (const [width, height] of [
      [1, 1],
      [1, 200],
      [300, 1],
    ]) {
      const body = { image: await picture(width, height), prompts: [POINT, { text: 'a' }] };
      const response = await server.post(SEGMENT, { ...body, confidence_threshold: 0 });
      expect(response.status).toBe(200);
      const answer = (await response.json()) as SegmentAnswer;
      expect(answer.image_size).toEqual({ width, height });
      expect(answer.num_masks).toBeGreaterThan(0);
    }
  });
});

test('unknown words and other scripts are answered, perhaps with nothing', async () => {
  const texts = ['xyzzy', 'кошка', '猫', '🐈', 'Σίσυφος', '<|endoftext|>', '\u0000', words(30)];
  const response = await server.post(CACHED, { image, text_prompts: texts });
  expect(response.status).toBe(200);
  const { results } = (await response.json()) as CachedFeaturesAnswer;
  expect(results.map(({ prompt: text }) => text)).toEqual(texts);
});

test('bad requests among many cost nobody else anything', async () => {
  const good = { image, prompts: [POINT] };
  const answers = await Promise.all(
    Array.from({ length: 9 }, (_, i) =>
      server.post(SEGMENT, i % 3 === 1 ? prompt({ box: [2, 2, 2, 2] }) : good),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual([
    200, 422, 200, 200, 422, 200, 200, 422, 200,
  ]);
});

describe('without a model for a prompt', () => {
  /** A server whose only models are those of these folders, named by family. */
  async function serverWith(checkpoint: string) {
    const root = mkdtempSync(join(tmpdir(), 'triptych-no-models-'));
    const catalogue = CATALOGUE.filter(({ embedded }) => embedded === undefined);
    const flags = {
      device: 'cpu',
      threads: '1',
      ...(checkpoint && { sam3Checkpoint: checkpoint }),
    };
    const parts = await createServer(readConfig(flags, {}), openStore({ root, catalogue }));
    const app = createApp(parts);
    const send = (path: string, body?: object) =>
      app.handle(
        new Request(`http://localhost${path}`, {
          method: body ? 'POST' : 'GET',
          headers: { 'content-type': 'application/json' },
          ...(body && { body: JSON.stringify(body) }),
        }),
      );
    const close = () => {
      parts.close();
      rmSync(root, { recursive: true });
    };
    return { send, close };
  }

  test('503 names the command, whichever prompt it is', async () => {
    const { send, close } = await serverWith('');
    for (const prompts of [[POINT], [{ text: 'a cat' }], [{ text: 'a cat' }, POINT]]) {
      const response = await send(SEGMENT, { image, prompts });
      expect(response.status).toBe(503);
      expect(await detailOf(response)).toContain('bun run models pull');
    }
    const info = await (await send('/models/info')).json();
    expect(info).toMatchObject({ image_model: { loaded: false, checkpoint: null } });
    close();
  });

  test('a family that is there answers beside one that is not', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'triptych-clicks-'));
    mkdirSync(folder, { recursive: true });
    for (const name of ['vision-encoder.onnx', 'click-decoder.onnx']) {
      symlinkSync(join(FIXTURE, name), join(folder, name));
    }
    const { send, close } = await serverWith(folder);
    expect((await send(SEGMENT, { image, prompts: [POINT] })).status).toBe(200);
    const refused = await send(SEGMENT, { image, prompts: [POINT, { text: 'a cat' }] });
    expect(refused.status).toBe(503);
    expect(await detailOf(refused)).toContain('bun run models pull');
    expect((await send(SEGMENT, { image, prompts: [POINT] })).status).toBe(200);
    close();
    rmSync(folder, { recursive: true });
  });

  test('strict models take no stand-in', async () => {
    const strict = await testServer({ strictModels: 'true' });
    const response = await strict.post(SEGMENT, { image, prompts: [POINT] });
    expect(response.status).toBe(503);
    expect(await detailOf(response)).toContain('bun run models pull');
    const info = await strict.handle(new Request('http://localhost/models/info'));
    const none = { loaded: false, checkpoint: null, concept_model: null, click_model: null };
    expect(await info.json()).toMatchObject({ image_model: none });
    strict.close();
  });
});
