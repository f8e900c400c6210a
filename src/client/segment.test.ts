import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import sharp from 'sharp';
import { readConfig } from '../config.ts';
import { type RunningServer, startServer } from '../server.ts';
import {
  ApiError,
  decodeMask,
  encodeImage,
  getMetrics,
  getModelsInfo,
  type RleObject,
  segmentImage,
  segmentOverlay,
  segmentWithCachedFeatures,
  serverStages,
} from './index.ts';

/**
 * Against a real server that needs a key, with a tiny SAM 3 of random weights, whose masks
 * transformers gave as well.
 */
const FIXTURE = join(import.meta.dir, '../../test/fixtures/segment-parity');
const KEY = 'sk-client-test';
const size = { width: 149, height: 107 };
const TEXT = { text: 'a red ball' };
const CLICK = { points: [[0.41, 0.55]] };

let server: RunningServer;
let options: { baseUrl: URL; apiKey: string };
let photo: Uint8Array<ArrayBuffer>;
let image: string;
let clicked: Uint8Array;

beforeAll(async () => {
  const flags = { device: 'cpu', host: '127.0.0.1', port: '0', apiKey: KEY };
  server = await startServer(readConfig({ ...flags, sam3Checkpoint: FIXTURE }, {}));
  options = { baseUrl: server.url, apiKey: KEY };
  photo = await Bun.file(join(FIXTURE, 'photo.png')).bytes();
  image = await encodeImage(photo);
  const { cases } = await Bun.file(join(FIXTURE, 'manifest.json')).json();
  const { rle } = cases.find(({ name }: { name: string }) => name === 'click');
  clicked = decodeMask(rle, size);
});

afterAll(() => server.stop());

function iou(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [both, either] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    both += a[i] & b[i];
    either += a[i] | b[i];
  }
  return both / either;
}

describe('a mask', () => {
  test("is transformers', from a form as from base64", async () => {
    const fields = { prompts: [CLICK], confidence_threshold: 0 };
    for (const sent of [image, new Blob([photo])]) {
      const answer = await segmentImage({ ...fields, image: sent }, options);
      expect(answer).toMatchObject({ num_masks: 1, image_size: size, prompt_indices: [0] });
      expect(iou(decodeMask(answer.masks[0], answer.image_size), clicked)).toBeGreaterThan(0.99);
    }
    // The comparison can fail: another click is another mask.
    const other = { points: [[0.8, 0.2]] };
    const { masks } = await segmentImage({ ...fields, image, prompts: [other] }, options);
    expect(iou(decodeMask(masks[0], size), clicked)).toBeLessThan(0.99);
  });

  test('is the same in every form', async () => {
    const fields = { image, prompts: [CLICK], confidence_threshold: 0 };
    const { masks } = await segmentImage(fields, options);
    const pixels = decodeMask(masks[0], size);
    const objects = await segmentImage({ ...fields, mask_format: 'rle_object' }, options);
    const expected: RleObject = { size: [size.height, size.width], counts: masks[0] };
    expect(objects.masks).toEqual([expected]);
    const files = await segmentImage({ ...fields, mask_format: 'png' }, options);
    const grey = await sharp(Uint8Array.fromBase64(files.masks[0]))
      .toColourspace('b-w')
      .raw()
      .toBuffer();
    expect([...grey]).toEqual([...pixels].map((inside) => 255 * inside));
    const { masks: outlines } = await segmentImage({ ...fields, mask_format: 'polygons' }, options);
    const area = outlines[0].reduce((sum, polygon) => sum + shoelace(polygon), 0);
    expect(area).toBe(pixels.reduce((sum, inside) => sum + inside, 0));
  });
});

function shoelace(polygon: readonly number[]): number {
  const at = (i: number) => polygon[i % polygon.length];
  let twice = 0;
  for (let i = 0; i < polygon.length; i += 2) twice += at(i) * at(i + 3) - at(i + 2) * at(i + 1);
  return twice / 2;
}

test('a model is named in a form as in JSON', async () => {
  const fields = { prompts: [CLICK], model: 'sam3-checkpoint', confidence_threshold: 0 };
  for (const sent of [image, new Blob([photo])]) {
    expect(await segmentImage({ ...fields, image: sent }, options)).toMatchObject({
      model: 'sam3-checkpoint',
      model_exact: true,
    });
  }
});

describe('several texts', () => {
  test('are answered in one encoding, which the next request finds', async () => {
    const texts = ['a red ball', 'nothing'];
    const fields = { image: new Blob([photo]), text_prompts: texts };
    const { results } = await segmentWithCachedFeatures(fields, options);
    expect(results.map(({ prompt }) => prompt)).toEqual(texts);
    const one = await segmentImage({ image, prompts: [TEXT] }, options);
    expect(one.cache_hit).toBe(true);
    expect(one.num_masks).toBeGreaterThan(0);
    expect(results[0].masks).toEqual(one.masks);
    const again = await segmentWithCachedFeatures({ ...fields, mask_format: 'polygons' }, options);
    expect(again.cache_hit).toBe(true);
    expect(again.results[0].masks[0][0].length).toBeGreaterThan(5);
  });
});

describe('the picture', () => {
  test('comes as a file, or under an address of its own', async () => {
    const fields = { image, prompts: [TEXT] };
    const drawn = await segmentOverlay(fields, options);
    expect(await sharp(drawn).metadata()).toMatchObject({ ...size, format: 'png' });
    const { visualization_url: url } = await segmentImage(
      { ...fields, return_visualization: true },
      options,
    );
    const served = await (await fetch(url ?? '')).bytes();
    expect(served).toEqual(drawn);
    expect((await segmentImage(fields, options)).visualization_url).toBeNull();
  });
});

describe('refusals', () => {
  const cases: [string, number, RegExp, () => Promise<unknown>][] = [
    [
      'no key',
      401,
      /^API key required$/,
      () => segmentImage({ image, prompts: [TEXT] }, { baseUrl: server.url }),
    ],
    ['no prompts', 422, /prompts/, () => segmentImage({ image, prompts: [] }, options)],
    [
      'a box of three numbers',
      422,
      /prompts\.0\.box/,
      () => segmentOverlay({ image, prompts: [{ box: [0.5, 0.5, 0.1] }] }, options),
    ],
    [
      'no picture in a form',
      422,
      /expected a JPEG/,
      () =>
        segmentWithCachedFeatures({ image: new Blob(['hello']), text_prompts: ['cat'] }, options),
    ],
  ];

  test.each(cases)('%s gives the status and the detail', async (_, status, detail, call) => {
    const error = await call().then(
      () => expect.unreachable('it was answered'),
      (reason) => reason,
    );
    expect(error).toBeInstanceOf(ApiError);
    expect(error.status).toBe(status);
    expect(error.detail).toMatch(detail);
  });
});

describe('the server tells', () => {
  test('what answers', async () => {
    const { image_model, server_version } = await getModelsInfo(options);
    expect(image_model.concept_model).toBe('sam3-checkpoint');
    expect(image_model.capabilities).toContain('point_prompt');
    expect(server_version).toMatch(/^\d+\.\d+\.\d+$/);
    await expect(getModelsInfo({ baseUrl: server.url })).rejects.toBeInstanceOf(ApiError);
  });

  test('what it has done, and where the time went', async () => {
    let stages: string[] = [];
    const onHeaders = (headers: Headers) => {
      stages = serverStages(headers).map(({ name }) => name);
    };
    const fields = { image, prompts: [TEXT] };
    await segmentImage(fields, { ...options, onHeaders });
    for (const stage of ['decode', 'queue', 'respond']) expect(stages).toContain(stage);
    expect(stages).not.toContain('encode');
    const figures = await getMetrics(options);
    expect(figures).toMatch(/^sam3_cpu_usage_percent [\d.]+$/m);
    expect(Number(/^triptych_feature_cache_hits_total (\d+)$/m.exec(figures)?.[1])).toBeGreaterThan(
      0,
    );
  });
});
