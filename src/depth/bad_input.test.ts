/** Each bad input gets its 4xx and a detail that names the field; then a good request works. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import sharp from 'sharp';
import { detailOf, type TestServer, testServer } from '../../test/server.ts';

let server: TestServer;
let good: string;

beforeAll(async () => {
  server = await testServer({ maxUploadMb: '1', maxImageMegapixels: '2' });
  good = (await picture(40, 30).png().toBuffer()).toString('base64');
});
afterAll(() => server.close());

function picture(width: number, height: number) {
  return sharp({ create: { width, height, channels: 3, background: '#a05030' } });
}

async function refuses(path: string, body: unknown, status: number, ...words: string[]) {
  const response = await server.post(path, body);
  const detail = await detailOf(response);
  expect({ status: response.status, detail }).toEqual({ status, detail: expect.any(String) });
  for (const word of words) expect(detail).toContain(word);
  const next = await server.post('/metric_depth', { image: good, model_input_size: 28 });
  expect(next.status).toBe(200);
}

/** Two frames of different colours. */
function animation(): Promise<Buffer> {
  const frames = Buffer.concat([Buffer.alloc(40 * 30 * 3, 40), Buffer.alloc(40 * 30 * 3, 200)]);
  const raw = { width: 40, height: 60, channels: 3 as const, pageHeight: 30 };
  return sharp(frames, { raw })
    .gif({ delay: [50, 50] })
    .toBuffer();
}

const K = { fx: 10, fy: 10, cx: 5, cy: 5 };
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('the image', () => {
  test.each<[string, unknown, string]>([
    ['is absent', undefined, 'image_url'],
    ['is not an image', base64('hello world'), 'JPEG'],
    ['is an SVG', base64('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'), 'JPEG'],
    ['is empty', '', 'empty'],
    ['is a number', 7, 'string'],
    ['has a space in its base64', 'iVBOR w0KGgo=', 'position 5'],
    ['has another alphabet', 'iVBO*w0K', 'base64'],
    ['is cut base64', 'iVBORw0KG', 'base64'],
  ])('%s', (_, image, word) => refuses('/metric_depth', { image }, 422, 'image', word));

  test('is truncated', async () => {
    const jpeg = await picture(300, 200).jpeg().toBuffer();
    const image = jpeg.subarray(0, jpeg.length / 2).toString('base64');
    await refuses('/metric_depth', { image }, 422, 'truncated');
  });

  test('has no pixels', async () => {
    const png = Buffer.from(good, 'base64');
    png.writeUInt32BE(0, 16);
    await refuses('/metric_depth', { image: png.toString('base64') }, 422, 'image');
  });

  test('is a bomb: small as a file, huge as pixels', async () => {
    const png = await picture(5000, 5000).png({ compressionLevel: 9 }).toBuffer();
    expect(png.length).toBeLessThan(200_000);
    const image = png.toString('base64');
    await refuses('/metric_depth', { image }, 422, '25000000', '2000000');
  });

  test('is a thread that would enter the model as thousands of pixels', async () => {
    const image = (await picture(2, 2000).png().toBuffer()).toString('base64');
    await refuses('/metric_depth', { image }, 422, '2x2000', 'crop');
  });

  test('comes twice', () =>
    refuses('/metric_depth', { image: good, image_url: 'http://a.example' }, 422, 'both'));

  test.each<[string, string]>([
    ['http://127.0.0.1:1/a.png', 'public'],
    ['http://[::1]/a.png', 'public'],
    ['http://169.254.169.254/latest/meta-data', 'public'],
    ['http://0x7f.1/', 'public'],
    ['ftp://example.com/a.png', 'http'],
    ['http://user:secret@example.com/a.png', 'password'],
    ['no url', 'http'],
  ])('points to %s', (url, word) => refuses('/metric_depth', { image_url: url }, 422, word));
});

describe('images of unusual kinds are taken', () => {
  const encodings: [string, () => Promise<Buffer>][] = [
    ['16-bit', () => picture(40, 30).toColourspace('rgb16').png().toBuffer()],
    ['CMYK', () => picture(40, 30).toColourspace('cmyk').jpeg().toBuffer()],
    ['grey', () => picture(40, 30).greyscale().png().toBuffer()],
    ['palette', () => picture(40, 30).png({ palette: true }).toBuffer()],
    ['with alpha', () => picture(40, 30).ensureAlpha(0.5).png().toBuffer()],
    ['animated', animation],
  ];
  test.each(encodings)('%s', async (_, encode) => {
    const image = (await encode()).toString('base64');
    const response = await server.post('/metric_depth', { image, model_input_size: 28 });
    expect(response.status).toBe(200);
    const { shape } = (await response.json()) as { shape: number[] };
    expect(shape).toEqual([30, 40]);
  });

  test('EXIF-rotated: the answer has the size that a viewer shows', async () => {
    const rotated = await picture(40, 30).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const body = { image: rotated.toString('base64'), model_input_size: 28 };
    const answer = (await (await server.post('/metric_depth', body)).json()) as { shape: number[] };
    expect(answer.shape).toEqual([40, 30]);
  });
});

describe('fields', () => {
  test.each<[string, object, number, string]>([
    ['max_depth null', { max_depth: null }, 400, 'max_depth'],
    ['max_depth 0', { max_depth: 0 }, 400, 'max_depth'],
    ['max_depth negative', { max_depth: -1 }, 400, 'max_depth'],
    ['max_depth past float32', { max_depth: 1e300 }, 400, 'max_depth'],
    ['max_depth next to nothing', { max_depth: 1e-300 }, 400, 'max_depth'],
    ['max_depth text', { max_depth: 'far' }, 422, 'max_depth'],
    ['encoder unknown', { encoder: 'vitg' }, 422, 'vits, vitb, vitl'],
    ['dataset unknown', { dataset: 'kitti' }, 422, 'hypersim, vkitti'],
    ['size not a multiple of 14', { model_input_size: 500 }, 422, 'multiple of 14'],
    ['size 0', { model_input_size: 0 }, 422, 'model_input_size'],
    ['size past the bound', { model_input_size: 1050 }, 422, '1036'],
    ['size not whole', { model_input_size: 28.5 }, 422, 'integer'],
  ])('%s', (_, fields, status, word) =>
    refuses('/metric_depth', { image: good, ...fields }, status, word),
  );

  test.each<[string, unknown, string]>([
    ['absent', undefined, 'camera_intrinsics'],
    ['zero', { ...K, fx: 0 }, 'camera_intrinsics.fx'],
    ['negative', { ...K, fy: -5 }, 'camera_intrinsics.fy'],
    ['NaN, which JSON writes as null', { ...K, cx: Number.NaN }, 'camera_intrinsics.cx'],
    ['next to nothing', { ...K, fx: 1e-300 }, 'camera_intrinsics.fx'],
    ['past float32', { ...K, cy: 1e308 }, 'camera_intrinsics.cy'],
    ['incomplete', { fx: 1, fy: 1 }, 'camera_intrinsics.cx'],
  ])('intrinsics %s', (_, camera_intrinsics, word) =>
    refuses('/pc', { image: good, camera_intrinsics }, 422, word),
  );

  test('infinite intrinsics', () =>
    refuses(
      '/pc',
      `{"image":"${good}","camera_intrinsics":{"fx":1e999,"fy":1,"cx":0,"cy":0}}`,
      422,
      'fx',
    ));

  test('a range that is turned round, and a stride of 0', async () => {
    const body = { image: good, camera_intrinsics: K };
    await refuses('/pc', { ...body, depth_range: [3, 1] }, 422, 'near');
    await refuses('/pc', { ...body, stride: 0 }, 422, 'stride');
  });
});

test('one bad request among many costs nobody else anything', async () => {
  const body = { image: good, model_input_size: 28 };
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, i) =>
      server.post('/metric_depth', i === 4 ? { ...body, max_depth: 1e300 } : body),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual([
    200, 200, 200, 200, 400, 200, 200, 200, 200, 200,
  ]);
});

describe('the body', () => {
  test('is not JSON', () => refuses('/metric_depth', '{"image":', 400, 'JSON'));
  test('is no object', () => refuses('/metric_depth', '[1]', 422, 'object'));

  test('is past the limit, with and without a declared length', async () => {
    const body = JSON.stringify({ image: 'A'.repeat(2 ** 20) });
    await refuses('/metric_depth', body, 413, '1 MiB');
    const stream = new Blob([body]).stream();
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', body: stream, headers };
    const response = await server.handle(new Request('http://localhost/metric_depth', init));
    expect(response.status).toBe(413);
  });

  test('is of another type', async () => {
    const headers = { 'content-type': 'text/csv' };
    const request = new Request('http://localhost/pc', { method: 'POST', body: 'a,b', headers });
    const response = await server.handle(request);
    expect(response.status).toBe(415);
    expect(await detailOf(response)).toContain('multipart/form-data');
  });
});
