/** Prompts of a request that no one model takes: one for the concepts, one for the clicks. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestServer, testServer } from '../../test/server.ts';
import { createApp } from '../app.ts';
import { readConfig } from '../config.ts';
import { APACHE, type SegmentEntry } from '../models/entry.ts';
import { openStore } from '../models/store.ts';
import { createServer } from '../server.ts';
import type { SegmentAnswer } from './schema.ts';

const FIXTURE = join(import.meta.dir, '../../test/fixtures/segment-parity');
const FILES = {
  concept: ['vision-encoder.onnx', 'text-encoder.onnx', 'concept-decoder.onnx', 'tokenizer.json'],
  click: ['vision-encoder.onnx', 'click-decoder.onnx'],
};

const TEXT = { type: 'text', text: 'a red ball' };
const POINT = { type: 'point', points: [[0.41, 0.55]], point_labels: [1] };

let repository: string;
let whole: TestServer;
let parted: { segment(fields: object): Promise<Response>; close(): void };
let image: string;

beforeAll(async () => {
  repository = mkdtempSync(join(tmpdir(), 'triptych-two-models-'));
  image = Buffer.from(await Bun.file(join(FIXTURE, 'photo.png')).bytes()).toString('base64');
  whole = await testServer({ sam3Checkpoint: FIXTURE });
  parted = await partedServer();
});
afterAll(() => {
  whole.close();
  parted.close();
  rmSync(repository, { recursive: true });
});

/** A model of the fixture's graphs for one need. */
function entry(need: 'concept' | 'click'): SegmentEntry {
  mkdirSync(join(repository, need));
  for (const name of FILES[need]) symlinkSync(join(FIXTURE, name), join(repository, need, name));
  return {
    id: `tiny-${need}`,
    family: 'segment',
    title: `Tiny, ${need}`,
    contract: 'single-backbone',
    generation: 'mini',
    answers: [need],
    precision: 'fp32',
    files: [],
    licence: APACHE,
    notes: '',
    embedded: FILES[need].map((name) => `${need}/${name}`),
  };
}

async function partedServer() {
  const config = readConfig({ device: 'cpu', threads: '1' }, {});
  const catalogue = [entry('concept'), entry('click')];
  const root = join(repository, 'none');
  const parts = await createServer(config, openStore({ root, repository, catalogue }));
  const app = createApp(parts);
  const segment = (fields: object) =>
    app.handle(
      new Request('http://localhost/api/v1/image/segment', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ image, confidence_threshold: 0.6, ...fields }),
      }),
    );
  return { segment, close: () => parts.close() };
}

test('the answer is that of one model, in the order of the request', async () => {
  const prompts = [POINT, TEXT, POINT];
  const response = await parted.segment({ prompts });
  const answer = (await response.json()) as SegmentAnswer;
  expect(answer.model).toBe('tiny-concept + tiny-click');
  const fields = { image, confidence_threshold: 0.6, prompts };
  const other = await whole.post('/api/v1/image/segment', fields);
  const wanted = (await other.json()) as SegmentAnswer;
  expect(wanted.model).toBe('sam3-checkpoint');
  expect(answer.num_masks).toBeGreaterThan(2);
  expect(answer.masks).toEqual(wanted.masks);
  expect(answer.prompt_indices).toEqual(wanted.prompt_indices);
  expect(answer.prompt_indices).toEqual([...answer.prompt_indices].sort((a, b) => a - b));
});

test('each model keeps features of its own', async () => {
  const hits = [];
  for (const prompts of [[TEXT], [POINT], [TEXT, POINT]]) {
    hits.push(((await (await parted.segment({ prompts })).json()) as SegmentAnswer).cache_hit);
  }
  expect(hits).toEqual([true, true, true]);
});

test('a model that does not take a prompt is refused by name', async () => {
  const response = await parted.segment({ prompts: [TEXT, POINT], model: 'tiny-concept' });
  expect(response.status).toBe(422);
  expect(await response.json()).toEqual({ detail: expect.stringMatching(/model: .*tiny-click/) });
  expect((await parted.segment({ prompts: [TEXT], model: 'tiny-concept' })).status).toBe(200);
});

test('a model whose files have gone is 503, and the next request works', async () => {
  rmSync(join(repository, 'concept/tokenizer.json'));
  expect((await parted.segment({ prompts: [TEXT] })).status).toBe(503);
  expect((await parted.segment({ prompts: [POINT] })).status).toBe(200);
});
