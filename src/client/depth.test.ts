import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import sharp from 'sharp';
import { readConfig } from '../config.ts';
import { type RunningServer, startServer } from '../server.ts';
import {
  ApiError,
  decodeDepthMap,
  decodePointcloud,
  encodeImage,
  getHealth,
  predictFile,
  predictMetricDepth,
  predictPointcloud,
  predictRelativeDepth,
  serverStages,
} from './index.ts';

/** Against a real server that needs a key. */
const KEY = 'sk-client-test';
const WIDTH = 61;
const HEIGHT = 47;
const camera_intrinsics = { fx: 50, fy: 52, cx: 30.5, cy: 22 };
/** Small, so that the tests take little time. */
const model_input_size = 112;

let server: RunningServer;
let options: { baseUrl: URL; apiKey: string };
let picture: Uint8Array;
let image: string;

beforeAll(async () => {
  const flags = { device: 'cpu', host: '127.0.0.1', port: '0', apiKey: KEY };
  server = await startServer(readConfig(flags, {}));
  options = { baseUrl: server.url, apiKey: KEY };
  picture = await draw(WIDTH, HEIGHT);
  image = await encodeImage(picture);
});

afterAll(() => server.stop());

/** A shaded floor and wall: something whose depth varies. */
function draw(width: number, height: number): Promise<Uint8Array> {
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < rgb.length; i += 3) {
    const [x, y] = [(i / 3) % width, Math.floor(i / 3 / width)];
    rgb.set(y > height / 2 ? [90 + 2 * y, 70, (x * 37) % 200] : [200 - 3 * y, 190, 170], i);
  }
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

describe('metric depth', () => {
  test('comes with the documented fields, and decodes to the size of the image', async () => {
    const answer = await predictMetricDepth({ image, model_input_size }, options);
    expect(answer.shape).toEqual([HEIGHT, WIDTH]);
    expect(answer.unit).toBe('metre');
    const depth = decodeDepthMap(answer.depth_map, answer.shape);
    expect(depth.length).toBe(WIDTH * HEIGHT);
    expect(Math.min(...depth)).toBe(answer.min);
    expect(Math.max(...depth)).toBe(answer.max);
    expect(answer.min).toBeGreaterThan(0);
    expect(answer.max).toBeGreaterThan(answer.min);
  });

  test('is the same raw as in JSON, and the same from a form as from base64', async () => {
    const fields = { model_input_size, max_depth: 10, encoder: 'mini' } as const;
    const json = await predictMetricDepth({ ...fields, image }, options);
    const expected = decodeDepthMap(json.depth_map, json.shape);
    const form = { ...fields, image: new Blob([picture.slice()]) };
    for (const sent of [{ ...fields, image }, form]) {
      const raw = await predictMetricDepth(sent, { ...options, binary: true });
      expect(raw.data).toEqual(expected);
      const { min, max, kind, unit, model } = json;
      expect(raw).toMatchObject({ shape: [HEIGHT, WIDTH], min, max, kind, unit, model });
    }
    // The comparison can fail: another scale is another map.
    const other = await predictMetricDepth(
      { ...form, max_depth: 11 },
      { ...options, binary: true },
    );
    expect(other.data).not.toEqual(expected);
  });
});

describe('relative depth', () => {
  test('is the metric model with max_depth 1 unless the relative one is asked for', async () => {
    const fields = { image, model_input_size };
    const relative = await predictRelativeDepth(fields, { ...options, binary: true });
    const metric = await predictMetricDepth(fields, { ...options, binary: true });
    const scale = metric.max / relative.max;
    expect(relative).toMatchObject({ kind: 'metric', unit: 'fraction of max_depth' });
    expect(relative.max).toBeLessThan(1);
    relative.data.forEach((value, i) => {
      expect(Math.abs(value * scale - metric.data[i])).toBeLessThan(1e-5 * metric.max);
    });
  });

  test('of the relative model is disparity: the farthest pixel has the smallest', async () => {
    const fields = { image, model_input_size };
    const far = await predictRelativeDepth(fields, { ...options, binary: true });
    const near = await predictRelativeDepth({ ...fields, relative_model: true }, options);
    expect(near).toMatchObject({ kind: 'relative', unit: 'none' });
    const disparity = decodeDepthMap(near.depth_map, near.shape);
    const nearest = disparity.indexOf(near.max);
    const farthest = disparity.indexOf(near.min);
    expect(far.data[nearest]).toBeLessThan(far.data[farthest]);
  });
});

describe('point cloud', () => {
  test('is the depth map seen through the pinhole', async () => {
    const fields = { image, camera_intrinsics, model_input_size };
    const answer = await predictPointcloud(fields, options);
    const points = decodePointcloud(answer.pointcloud, answer.pointcloud_shape);
    const depth = decodeDepthMap(answer.depth_map, answer.depth_shape);
    expect(answer.pointcloud_shape).toEqual([WIDTH * HEIGHT, 3]);
    const { fx, fy, cx, cy } = camera_intrinsics;
    let worst = 0;
    depth.forEach((z, i) => {
      const [u, v] = [i % WIDTH, Math.floor(i / WIDTH)];
      const wanted = [((u - cx) / fx) * z, ((v - cy) / fy) * z, z];
      wanted.forEach((value, axis) => {
        worst = Math.max(worst, Math.abs(points[3 * i + axis] - value));
      });
    });
    expect(worst).toBeLessThan(1e-5 * answer.max);
    const raw = await predictPointcloud(fields, { ...options, binary: true });
    expect(raw.data).toEqual(points);
    expect(raw.shape).toEqual([WIDTH * HEIGHT, 3]);
  });

  test('carries colours and a stride where asked', async () => {
    const fields = { camera_intrinsics, model_input_size, stride: 4, colors: true };
    const answer = await predictPointcloud(
      { ...fields, image: new Blob([picture.slice()]) },
      options,
    );
    const count = Math.ceil(WIDTH / 4) * Math.ceil(HEIGHT / 4);
    expect(answer.pointcloud_shape).toEqual([count, 3]);
    const colors = Uint8Array.fromBase64(answer.colors ?? '');
    const rgb = await sharp(picture).raw().toBuffer();
    expect([...colors.slice(0, 3)]).toEqual([...rgb.subarray(0, 3)]);
    expect([...colors.slice(3, 6)]).toEqual([...rgb.subarray(12, 15)]);
  });
});

describe('files', () => {
  test('come as the server encodes them', async () => {
    const fields = { image, camera_intrinsics, model_input_size, colors: true };
    const ply = await predictFile('pc', fields, 'model/ply', options);
    expect(new TextDecoder().decode(ply.slice(0, 200))).toContain(
      `element vertex ${WIDTH * HEIGHT}\n`,
    );
    const grey = await predictFile('metric_depth', fields, 'image/png', options);
    expect(await sharp(grey).metadata()).toMatchObject({ width: WIDTH, depth: 'ushort' });
    const turbo = { ...options, colormap: 'turbo' } as const;
    const coloured = await predictFile('rel_depth', fields, 'image/png', turbo);
    expect(await sharp(coloured).metadata()).toMatchObject({ height: HEIGHT, channels: 3 });
    const refused = await predictFile('pc', fields, 'image/png', options).catch((error) => error);
    expect(refused).toBeInstanceOf(ApiError);
    expect(refused).toMatchObject({ status: 406 });
  });
});

describe('refusals', () => {
  const cases: [string, number, RegExp, () => Promise<unknown>][] = [
    [
      'no key',
      401,
      /^API key required$/,
      () => predictMetricDepth({ image }, { baseUrl: server.url }),
    ],
    [
      'a wrong key',
      401,
      /^Invalid API key$/,
      () => predictMetricDepth({ image }, { ...options, apiKey: 'sk-other' }),
    ],
    ['max_depth 0', 400, /max_depth/, () => predictMetricDepth({ image, max_depth: 0 }, options)],
    [
      'an odd input size',
      422,
      /multiple of 14/,
      () => predictRelativeDepth({ image, model_input_size: 100 }, { ...options, binary: true }),
    ],
    [
      'no image in a form',
      422,
      /expected a JPEG/,
      () => predictMetricDepth({ image: new Blob(['hello']) }, options),
    ],
    [
      'a focal length of 0',
      422,
      /fx/,
      () =>
        predictPointcloud({ image, camera_intrinsics: { ...camera_intrinsics, fx: 0 } }, options),
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

  test('do not keep the next request from working', async () => {
    expect((await predictMetricDepth({ image, model_input_size }, options)).shape).toHaveLength(2);
  });
});

test('health needs no key and names the model that is open', async () => {
  await predictMetricDepth({ image, model_input_size }, options);
  const health = await getHealth({ baseUrl: server.url });
  expect(health.status).toBe('healthy');
  expect(health.device).toStartWith('cpu');
  expect(health.models_loaded).toContain('depth-mini');
});

test("the server's stages are in the headers", async () => {
  let stages: string[] = [];
  const onHeaders = (headers: Headers) => {
    stages = serverStages(headers).map(({ name }) => name);
  };
  await predictMetricDepth({ image, model_input_size }, { ...options, onHeaders });
  for (const name of ['decode', 'queue', 'preprocess', 'infer', 'postprocess', 'encode']) {
    expect(stages).toContain(name);
  }
});
